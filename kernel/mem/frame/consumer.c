/*
 * Consumers: who is charged for frames.
 *
 * Their records live in frames that are never given back, and are used again for other consumers
 * only when no frame is charged to them any more. So a frame names its consumer by number, and the
 * number is good as long as the frame is in use, even after the consumer has ended.
 *
 * `used` has ENDED added when the consumer ends. Of all who change it, exactly one makes it ENDED
 * and nothing else: either the end itself, when nothing was used, or whoever frees the last frame.
 * That one recycles the record.
 *
 * Locking: list.lock, outermost. Fails: create with NULL.
 */
#include "frames.h"

#define ENDED         ((uint64_t)1 << 63)
#define PER_LEAF      (FRAME_BYTES / sizeof(struct frame_consumer *))
#define LEAVES        512u
#define CONSUMERS_MAX (LEAVES * PER_LEAF)
#define PER_FRAME     (FRAME_BYTES / sizeof(struct frame_consumer))

struct frame_consumer frame_kernel = {.name = "kernel"};

static struct {
    struct spin lock;
    struct frame_consumer *live;            /* all but the kernel's */
    struct frame_consumer *recycled;        /* linked by next */
    uint32_t made;                          /* numbers given out, 0 is the kernel's */
    struct frame_consumer **leaves[LEAVES]; /* by number / PER_LEAF */
} list = {.made = 1};

static struct frame_consumer *numbered(uint32_t number) {
    return list.leaves[number / PER_LEAF][number % PER_LEAF];
}

/* Whoever knows the number learnt it after it was entered here. */
static void enter(struct frame_consumer *consumer, struct frame **leaf) {
    uint32_t number = list.made++;
    if (!list.leaves[number / PER_LEAF]) {
        list.leaves[number / PER_LEAF] = frame_memory(*leaf);
        *leaf = NULL;
    }
    *consumer = (struct frame_consumer){.number = number, .next = list.recycled};
    list.leaves[number / PER_LEAF][number % PER_LEAF] = consumer;
    list.recycled = consumer;
}

/* Makes a frame full of records. The frames are had before the lock: allocating may need it. */
static void make_records(void) {
    struct frame *frame = NULL, *leaf = NULL;
    if (frame_allocate(0, NULL, &frame) == 0 && frame_allocate(0, NULL, &leaf) == 0) {
        uintptr_t interrupts = machine_interrupts_off();
        spin_enter(&list.lock);
        if (!list.recycled && list.made + PER_FRAME <= CONSUMERS_MAX) {
            struct frame_consumer *records = frame_memory(frame);
            frame = NULL;
            for (size_t i = 0; i < PER_FRAME; i++)
                enter(&records[i], &leaf);
        }
        spin_leave(&list.lock);
        machine_interrupts_restore(interrupts);
    }
    if (leaf)
        frame_free(leaf, 0);
    if (frame)
        frame_free(frame, 0);
}

static struct frame_consumer *take_record(const char *name, unsigned flags) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&list.lock);
    struct frame_consumer *consumer = list.recycled;
    if (consumer) {
        list.recycled = consumer->next;
        consumer->name = name;
        consumer->flags = flags;
        __atomic_store_n(&consumer->used, 0, __ATOMIC_RELAXED);
        consumer->previous = NULL;
        consumer->next = list.live;
        if (list.live)
            list.live->previous = consumer;
        list.live = consumer;
    }
    spin_leave(&list.lock);
    machine_interrupts_restore(interrupts);
    return consumer;
}

struct frame_consumer *frame_consumer_create(const char *name, unsigned flags) {
    struct frame_consumer *consumer = take_record(name, flags);
    if (consumer)
        return consumer;
    make_records();
    return take_record(name, flags);
}

static void recycle(struct frame_consumer *consumer) {
    spin_enter(&list.lock);
    consumer->next = list.recycled;
    list.recycled = consumer;
    spin_leave(&list.lock);
}

uint64_t frame_consumer_destroy(struct frame_consumer *consumer) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&list.lock);
    if (consumer->next)
        consumer->next->previous = consumer->previous;
    if (consumer->previous)
        consumer->previous->next = consumer->next;
    else
        list.live = consumer->next;
    spin_leave(&list.lock);
    pool_move(consumer, &frame_kernel);
    uint64_t used = __atomic_fetch_or(&consumer->used, ENDED, __ATOMIC_ACQ_REL);
    if (used == 0)
        recycle(consumer);
    machine_interrupts_restore(interrupts);
    return used;
}

void consumer_uncharge(uint32_t number, uint64_t frames) {
    struct frame_consumer *consumer = numbered(number);
    if (__atomic_sub_fetch(&consumer->used, frames, __ATOMIC_ACQ_REL) == ENDED)
        recycle(consumer);
}

/* In order of age of the consumers' chunks it does not matter whom: nobody has any to spare. */
struct frame *consumers_take(unsigned order, bool urgent) {
    struct frame *frame = pool_take(&frame_kernel, order, false, urgent);
    if (frame)
        return frame;
    spin_enter(&list.lock);
    for (struct frame_consumer *other = list.live; other && !frame; other = other->next)
        if (__atomic_load_n(&other->pool.idle, __ATOMIC_RELAXED) &&
            (urgent || !(other->flags & FRAME_URGENT)))
            frame = pool_take(other, order, false, urgent);
    spin_leave(&list.lock);
    return frame;
}

/* ---- accounts ---- */

static void read_usage(struct frame_consumer *consumer, struct frame_usage *usage) {
    spin_enter(&consumer->pool.lock);
    *usage = (struct frame_usage){.name = consumer->name,
                                  .used = __atomic_load_n(&consumer->used, __ATOMIC_RELAXED),
                                  .chunks = consumer->pool.chunk_count,
                                  .idle = consumer->pool.idle};
    spin_leave(&consumer->pool.lock);
}

/*
 * The kernel's own use is not counted where it happens but is what remains when everybody else's is
 * taken off. Numbers from several CPUs' doings may not fit together: then it is at least not
 * negative.
 */
static void count(struct frame_statistics *statistics, uint64_t *kernel) {
    struct frame_statistics now = {.present = frames_known.present,
                                   .records = frames_known.records,
                                   .kept = __atomic_load_n(&frames_known.kept, __ATOMIC_RELAXED),
                                   .free = zone_free(),
                                   .last = zone_reserve(),
                                   .cached = caches_count(),
                                   .idle =
                                       __atomic_load_n(&frame_kernel.pool.idle, __ATOMIC_RELAXED),
                                   .largest_order = zone_largest_order()};
    uint64_t others = 0;
    for (struct frame_consumer *one = list.live; one; one = one->next) {
        uint64_t idle = __atomic_load_n(&one->pool.idle, __ATOMIC_RELAXED);
        bool urgent = one->flags & FRAME_URGENT;
        *(urgent ? &now.free : &now.idle) += idle;
        now.last += urgent ? idle : 0;
        others += __atomic_load_n(&one->used, __ATOMIC_RELAXED);
    }
    uint64_t rest = now.records + now.kept + now.free + now.cached + now.idle;
    now.used = now.present > rest ? now.present - rest : 0;
    *kernel = now.used > others ? now.used - others : 0;
    *statistics = now;
}

void frames_count(struct frame_statistics *statistics) {
    uint64_t kernel;
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&list.lock);
    count(statistics, &kernel);
    spin_leave(&list.lock);
    machine_interrupts_restore(interrupts);
}

static void read_kernel_usage(struct frame_usage *usage) {
    struct frame_statistics statistics;
    read_usage(&frame_kernel, usage);
    count(&statistics, &usage->used);
}

void frame_consumer_usage(struct frame_consumer *consumer, struct frame_usage *usage) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&list.lock);
    if (consumer)
        read_usage(consumer, usage);
    else
        read_kernel_usage(usage);
    spin_leave(&list.lock);
    machine_interrupts_restore(interrupts);
}

void frame_consumers_each(void (*visit)(void *argument, const struct frame_usage *usage),
                          void *argument) {
    struct frame_usage usage;
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&list.lock);
    read_kernel_usage(&usage);
    visit(argument, &usage);
    for (struct frame_consumer *one = list.live; one; one = one->next) {
        read_usage(one, &usage);
        visit(argument, &usage);
    }
    spin_leave(&list.lock);
    machine_interrupts_restore(interrupts);
}
