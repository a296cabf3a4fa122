/*
 * Allocating and freeing blocks of frames: which of cache, pool and zone serves whom.
 *
 * A single frame for the kernel or for a small consumer comes from this CPU's cache; a block below
 * a chunk from the pool of a large consumer or the shared one; larger blocks from the zone. When
 * that has nothing, what CPUs cache is collected, then pools of others are asked; then it fails.
 *
 * Where a frame goes back to is decided by the chunk it is in, not by who was charged for it.
 */
#include "frames.h"

static bool is_urgent(const struct frame_consumer *consumer) {
    return consumer && (consumer->flags & FRAME_URGENT);
}

static bool is_large(const struct frame_consumer *consumer) {
    return consumer && __atomic_load_n(&consumer->used, __ATOMIC_RELAXED) >= FRAME_SMALL_CONSUMER;
}

/* Blocks of whole chunks have a record of their head only; it is made here. */
static struct frame *take_chunks(unsigned order, bool urgent) {
    struct chunk *chunk =
        order == FRAME_ORDER_CHUNK ? cache_take_chunk(urgent) : zone_take(order, urgent);
    if (!chunk)
        return NULL;
    for (uint32_t i = 0; i < 1u << (order - FRAME_ORDER_CHUNK); i++)
        chunk[i].has_records = 0;
    chunk_set_kind(chunk, kind_of(STATE_USED, order));
    struct frame *head = frame_numbered(chunk_first_frame(chunk));
    *head = (struct frame){.number = chunk_first_frame(chunk), .kind = kind_of(STATE_USED, order)};
    return head;
}

static struct frame *take(unsigned order, struct frame_consumer *consumer) {
    bool urgent = is_urgent(consumer);
    if (order >= FRAME_ORDER_CHUNK)
        return take_chunks(order, urgent);
    if (is_large(consumer))
        return pool_take(consumer, order, true, urgent);
    if (order == 0)
        return cache_refill(urgent);
    return pool_take(&frame_kernel, order, true, urgent);
}

static struct frame *take_the_last(unsigned order, struct frame_consumer *consumer) {
    frames_collect();
    struct frame *frame = take(order, consumer);
    if (!frame && order < FRAME_ORDER_CHUNK)
        frame = consumers_take(order, is_urgent(consumer));
    if (!frame)
        pressure_note_failure();
    return frame;
}

/* A record begins with nothing of an earlier user. */
static void make_blank(struct frame *frame) {
    frame->tag = 0;
    frame->holds = 0;
    frame->consumer = 0;
    frame->user[0] = frame->user[1] = 0;
}

static void charge(struct frame *frame, unsigned order, struct frame_consumer *consumer) {
    if (!consumer)
        return;
    frame->consumer = consumer->number;
    __atomic_add_fetch(&consumer->used, 1ul << order, __ATOMIC_RELAXED);
}

static struct frame *allocate_block(unsigned order, struct frame_consumer *consumer) {
    struct frame *frame = take(order, consumer);
    if (!frame)
        frame = take_the_last(order, consumer);
    pressure_tell();
    if (!frame)
        return NULL;
    frame_check_poison(frame, order);
    for (uint32_t i = 0; i < (order < FRAME_ORDER_CHUNK ? 1u << order : 1u); i++)
        make_blank(&frame[i]);
    charge(frame, order, consumer);
    return frame;
}

static struct frame *allocate_single(struct frame_consumer *consumer) {
    struct frame *frame = cache_pop();
    if (__builtin_expect(!frame, 0))
        return allocate_block(0, consumer);
    frame_check_poison(frame, 0);
    make_blank(frame);
    charge(frame, 0, consumer);
    return frame;
}

int frame_allocate(unsigned order, struct frame_consumer *consumer, struct frame **frame) {
    if (order > FRAME_ORDER_MAX)
        return -EINVAL;
    uintptr_t interrupts = machine_interrupts_off();
    struct frame *got = order == 0 && !is_large(consumer) ? allocate_single(consumer)
                                                          : allocate_block(order, consumer);
    machine_interrupts_restore(interrupts);
    if (__builtin_expect(!got, 0))
        return -ENOMEM;
    *frame = got;
    return 0;
}

static struct frame *allocate_kept(struct frame_consumer *consumer) {
    struct frame *frame = cache_pop_zeroed();
    if (frame) {
        frame_check_zeroed(frame);
        make_blank(frame);
        charge(frame, 0, consumer);
    }
    return frame;
}

int frame_allocate_zeroed(struct frame_consumer *consumer, struct frame **frame) {
    uintptr_t interrupts = machine_interrupts_off();
    struct frame *kept = is_large(consumer) ? NULL : allocate_kept(consumer);
    machine_interrupts_restore(interrupts);
    if (kept) {
        *frame = kept;
        return 0;
    }
    int error = frame_allocate(0, consumer, frame);
    if (!error)
        machine_zero_page(frame_memory(*frame));
    return error;
}

static void give_chunks(struct frame *frame, unsigned order) {
    struct chunk *chunk = chunk_of(frame->number);
    if (order == FRAME_ORDER_CHUNK)
        cache_give_chunk(chunk);
    else
        zone_give(chunk, order);
}

/* Once the kernel owns the chunk of a frame in use it stays so, hence no lock for that look. */
static bool is_shared(const struct frame *frame) {
    return __atomic_load_n(&chunk_of(frame->number)->owner, __ATOMIC_RELAXED) == &frame_kernel;
}

void frame_free(struct frame *frame, unsigned order) {
    uintptr_t interrupts = machine_interrupts_off();
    if (__builtin_expect(frame_kind(frame) != kind_of(STATE_USED, order), 0))
        frame_refuse_free(frame, order);
    frame_poison(frame, order);
    if (frame->consumer)
        consumer_uncharge(frame->consumer, 1ul << order);
    if (order == 0 && __builtin_expect(is_shared(frame), 1)) {
        cache_push(frame);
    } else if (order < FRAME_ORDER_CHUNK) {
        pool_give(frame, order);
    } else {
        frame_set_kind(frame, kind_of(STATE_INSIDE, 0));
        give_chunks(frame, order);
    }
    machine_interrupts_restore(interrupts);
}

void frame_free_zeroed(struct frame *frame) {
    uintptr_t interrupts = machine_interrupts_off();
    uint32_t consumer = frame->consumer;
    frame_check_zeroed(frame);
    frame->tag = 0;
    bool kept =
        frame_kind(frame) == kind_of(STATE_USED, 0) && is_shared(frame) && cache_push_zeroed(frame);
    if (kept && consumer)
        consumer_uncharge(consumer, 1);
    machine_interrupts_restore(interrupts);
    if (!kept)
        frame_free(frame, 0);
}

/* The chunk becomes a shared one: what is freed of it serves anybody. */
void frame_part(struct frame *block) {
    uintptr_t interrupts = machine_interrupts_off();
    uint32_t consumer = block->consumer;
    if (frame_kind(block) != kind_of(STATE_USED, FRAME_ORDER_CHUNK))
        frame_refuse_free(block, FRAME_ORDER_CHUNK);
    pool_adopt(&frame_kernel, chunk_of(block->number), STATE_USED);
    for (uint32_t i = 0; i < FRAMES_PER_CHUNK; i++)
        block[i].consumer = consumer;
    machine_interrupts_restore(interrupts);
}
