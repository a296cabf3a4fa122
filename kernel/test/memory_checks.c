/*
 * Checks of kernel memory where it runs, on all CPUs at once: test=memory.
 *
 * They look at what the kernel adds to what the host's tests prove: real page tables and flushes,
 * interrupts, preemption and threads that move. Each ends with the frames it began with.
 */
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../mem/frame/frame.h"
#include "../mem/heap/heap.h"
#include "../mem/reserve/reserve.h"
#include "../print.h"
#include "../sched/thread.h"
#include "crew.h"
#include "platform.h"

#define ROUNDS 200u

static struct crew crew;

static void flush_heap(struct member *self) {
    (void)self;
    heap_flush();
}

/* Frames in use when nothing is kept at hand anywhere. The first flush sends blocks home, the
 * second finds them there. */
static uint64_t frames_used(void) {
    struct frame_statistics now;
    for (unsigned round = 0; round < 2; round++)
        if (crew_start(&crew, cpu_count(), true, flush_heap, NULL))
            crew_wait(&crew);
    frames_collect();
    frames_count(&now);
    return now.used;
}

static bool used_is(uint64_t before) {
    uint64_t now = frames_used();
    if (now != before)
        print("%lu frames are in use, %lu were", now, before);
    return now == before;
}

/* Spare stacks are kept where a thread was made, so whoever compares frames stays on one CPU. */
struct on_cpu {
    bool (*holds)(void);
    bool held;
};

static void hold_on_cpu(void *argument) {
    struct on_cpu *check = argument;
    check->held = check->holds();
}

static bool on_one_cpu(bool (*holds)(void)) {
    struct on_cpu check = {holds, false};
    struct thread *thread = thread_start_on(0, "check", hold_on_cpu, &check);
    if (thread)
        thread_join(thread);
    return thread && check.held;
}

/* Runs work on every CPU; it sets shared to 0 when something was wrong. */
static bool on_all_cpus(void (*work)(struct member *)) {
    uint32_t right = 1;
    if (!crew_start(&crew, cpu_count(), true, work, &right))
        return false;
    crew_wait(&crew);
    return right;
}

static void wrong(struct member *self, const char *what) {
    print("CPU %u: %s", self->number, what);
    __atomic_store_n((uint32_t *)self->shared, 0, __ATOMIC_RELAXED);
}

/* ---- frames ---- */

enum { HELD = 64 };

/* Every page is stamped at both ends and must still be when it goes. */
static void take_and_give(struct member *self) {
    struct frame *held[HELD] = {0};
    struct frame_consumer *consumer = frame_consumer_create("check", 0);
    for (uint32_t i = 0; i < ROUNDS * HELD; i++) {
        uint32_t at = i * 7 % HELD;
        uint64_t *page = held[at] ? frame_memory(held[at]) : NULL;
        if (page && (page[0] != (uintptr_t)page + self->number || page[511] != page[0]))
            wrong(self, "a frame was given to two");
        if (page)
            frame_free(held[at], 0);
        if (frame_allocate(0, i % 3 ? consumer : NULL, &held[at])) {
            wrong(self, "no frame");
            break;
        }
        page = frame_memory(held[at]);
        page[0] = page[511] = (uintptr_t)page + self->number;
    }
    for (uint32_t at = 0; at < HELD; at++)
        if (held[at])
            frame_free(held[at], 0);
    if (frame_consumer_destroy(consumer))
        wrong(self, "the consumer still had frames");
}

/* The records of so many consumers at once stay. */
static bool make_room_for_consumers(void) {
    static struct frame_consumer *consumers[CREW_MAX];
    uint32_t count = 0;
    while (count < cpu_count() && count < CREW_MAX &&
           (consumers[count] = frame_consumer_create("check", 0)))
        count++;
    bool made = count == cpu_count();
    while (count)
        made = !frame_consumer_destroy(consumers[--count]) && made;
    return made;
}

static bool frames_come_back(void) {
    if (!make_room_for_consumers())
        return false;
    uint64_t before = frames_used();
    return on_all_cpus(take_and_give) && used_is(before);
}

KERNEL_CHECK(memory, frames_of_all_cpus_are_given_once_and_come_back) {
    return on_one_cpu(frames_come_back);
}

static struct frame *chain;

/* Takes all that can be had in blocks of an order, chained by their first words. */
static void take_all(unsigned order) {
    struct frame *frame;
    while (!frame_allocate(order, NULL, &frame)) {
        frame->user[0] = (uintptr_t)chain;
        frame->user[1] = order;
        chain = frame;
    }
}

static void give_all(void) {
    while (chain) {
        struct frame *frame = chain;
        chain = (struct frame *)frame->user[0];
        unsigned order = (unsigned)frame->user[1];
        frame->user[0] = 0;
        frame_free(frame, order);
    }
}

static void sleep_long(void *unused) {
    (void)unused;
    thread_sleep(1000000);
}

/* Crews of earlier checks have left stacks. */
static bool threads_end_somewhere(void) {
    enum { MOST = 4 * CREW_MANY };
    static struct thread *threads[MOST];
    uint32_t count = 0;
    while (count < MOST && (threads[count] = thread_start("check", sleep_long, NULL)))
        count++;
    for (uint32_t i = 0; i < count; i++)
        thread_join(threads[i]);
    return count < MOST;
}

/* The stacks that could be made stay, as spare ones, so what is in use is not compared. */
KERNEL_CHECK(memory, without_a_frame_requests_fail_and_the_kernel_goes_on) {
    for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
        take_all(order);
    bool failed = !heap_allocate(1u << 20) && frames_pressure() == FRAME_PRESSURE_CRITICAL;
    bool refused = threads_end_somewhere();
    give_all();
    void *block = heap_allocate(1u << 20);
    heap_free(block);
    frames_collect();
    return failed && refused && block && frames_pressure() == FRAME_PRESSURE_NONE;
}

/* ---- heap ---- */

enum { PLACES = 32 };
static uint64_t *places[PLACES];

/* Blocks wander: most are freed by another CPU than the one that allocated them. */
static void exchange_blocks(struct member *self) {
    uint64_t seed = self->number + 1;
    for (uint32_t i = 0; i < ROUNDS * 50; i++) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        size_t words = 2 + seed % (i % 16 ? 60 : 1200);
        uint64_t *block = heap_allocate(words * 8);
        if (!block) {
            wrong(self, "no memory");
            return;
        }
        block[0] = words;
        block[words - 1] = words;
        block = __atomic_exchange_n(&places[seed >> 32 & (PLACES - 1)], block, __ATOMIC_ACQ_REL);
        if (block && block[block[0] - 1] != block[0])
            wrong(self, "a block was given to two");
        heap_free(block);
    }
}

static bool blocks_come_back(void) {
    uint64_t before = frames_used();
    bool right = on_all_cpus(exchange_blocks);
    for (uint32_t i = 0; i < PLACES; i++) {
        heap_free(places[i]);
        places[i] = NULL;
    }
    return right && used_is(before);
}

KERNEL_CHECK(memory, blocks_freed_on_other_cpus_come_back) {
    return on_one_cpu(blocks_come_back);
}

/* ---- reserves ---- */

enum { PAGES = 256 };
static uint64_t (*reserved)[512];

static void touch_all(struct member *self) {
    for (uint32_t page = 0; page < PAGES; page++) {
        __atomic_fetch_add(&reserved[page][0], 1, __ATOMIC_RELAXED);
        reserved[page][1 + self->number] = page;
    }
    for (uint32_t page = 0; page < PAGES; page++)
        if (reserved[page][1 + self->number] != page)
            wrong(self, "a store to a page that appeared was lost");
}

KERNEL_CHECK(memory, a_page_that_all_cpus_touch_at_once_is_one_page) {
    for (uint32_t round = 0; round < 10; round++) {
        uint64_t before = reserve_frames();
        reserved = k42_platform_reserve(sizeof reserved[0] * PAGES);
        if (!reserved || !on_all_cpus(touch_all) || reserve_frames() != before + PAGES)
            return false;
        for (uint32_t page = 0; page < PAGES; page++)
            if (reserved[page][0] != cpu_count())
                return false;
        k42_platform_unreserve(reserved, sizeof reserved[0] * PAGES);
        if (reserve_frames() != before)
            return false;
    }
    return true;
}

/* ---- how much an idle kernel takes ---- */

#define IDLE_LIMIT (32ul << 20)

static void show(void *argument, const struct frame_usage *usage) {
    (void)argument;
    print("  %s: %lu KiB used, %lu KiB idle", usage->name, usage->used * 4, usage->idle * 4);
}

static void show_cache(void *argument, const struct heap_usage *usage) {
    (void)argument;
    if (usage->frames > 16)
        print("  of it %s: %lu KiB for %lu blocks", usage->name, usage->frames * 4, usage->used);
}

KERNEL_CHECK(memory, a_kernel_that_does_nothing_takes_less_than_32_mebibytes) {
    extern char image_begin[], image_end[];
    struct frame_statistics now;
    struct heap_usage large;
    uint64_t used = frames_used();
    frames_count(&now);
    heap_large_usage(&large);
    uint64_t image = (uint64_t)(image_end - image_begin);
    uint64_t bytes = (used + now.records) * FRAME_BYTES + image;
    print("  all: %lu KiB; image: %lu KiB; records of %lu MiB: %lu KiB; cached: %lu KiB",
          bytes / 1024, image / 1024, now.present / 256, now.records * 4, now.cached * 4);
    frame_consumers_each(show, NULL);
    heap_caches_each(show_cache, NULL);
    print("  of it %s: %lu KiB for %lu blocks", large.name, large.frames * 4, large.used);
    return bytes < IDLE_LIMIT;
}
