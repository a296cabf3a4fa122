/*
 * A ring: its memory, and what was completed.
 *
 * The memory is one block of frames, mapped into programs like a device's, so that whoever
 * completes something writes there, whatever address space is loaded. It goes with the last
 * reference: the file's, or that of a request that outlives it.
 *
 * Completions are added under the lock. The kernel has a tail of its own and writes it behind the
 * entry; the head is the program's, read once each time: a head that makes no sense makes the ring
 * seem full or empty, no more. What has no room is kept in a list, in its order, and put in when
 * the program asks for completions; nothing goes before it.
 *
 * Who waits is told after the lock was given up; the lock orders the two. Fails: -ENOMEM.
 */
#include "ring.h"

#include "../../dev/dma.h"
#include "../../mem/fcm/file_pages.h"
#include "../../mem/heap/heap.h"
#include "request.h"

#include <k42/k42.h>

#define PAGE 4096ul

static size_t pages(size_t bytes) {
    return (bytes + PAGE - 1) & ~(PAGE - 1);
}

static void lay_out(struct ring *ring, uint32_t cq_entries) {
    size_t array_at = sizeof(struct ring_shared) + cq_entries * sizeof(struct io_uring_cqe);
    ring->cq_entries = cq_entries;
    ring->sqes_at = pages(array_at + ring->sq_entries * sizeof(uint32_t));
    ring->bytes = ring->sqes_at + pages(ring->sq_entries * sizeof(struct io_uring_sqe));
}

static void fill(struct ring *ring) {
    struct ring_shared *shared = ring->shared;
    shared->sq_mask = ring->sq_entries - 1;
    shared->sq_entries = ring->sq_entries;
    shared->cq_mask = ring->cq_entries - 1;
    shared->cq_entries = ring->cq_entries;
    ring->array = (uint32_t *)(void *)&shared->cqes[ring->cq_entries];
}

/* Its memory, once it is known how much; a ring that gets none goes. */
static struct ring *furnish(struct ring *ring) {
    ring->references = 1;
    ring->requests = heap_allocate_zeroed(ring->sq_entries * sizeof(struct request *));
    ring->shared = dma_allocate(ring->bytes, &ring->physical);
    struct fcm_registers memory = {.physical = ring->physical, .pages = ring->bytes / PAGE};
    if (ring->shared && ring->requests && k42_make(&fcm_device, &memory, &ring->fcm) >= 0)
        return ring;
    dma_free(ring->shared);
    heap_free(ring->requests);
    heap_free(ring);
    return NULL;
}

struct ring *uring_make(uint32_t sq_entries, uint32_t cq_entries, uint32_t flags) {
    struct ring *ring = heap_allocate_zeroed(sizeof *ring);
    if (!ring)
        return NULL;
    ring->sq_entries = sq_entries;
    ring->flags = flags;
    lay_out(ring, cq_entries);
    ring = furnish(ring);
    if (ring)
        fill(ring);
    return ring;
}

struct ring *uring_make_plain(size_t bytes, uint32_t entries) {
    struct ring *ring = heap_allocate_zeroed(sizeof *ring);
    if (!ring)
        return NULL;
    ring->sq_entries = entries;
    ring->bytes = pages(bytes);
    return furnish(ring);
}

void uring_release(struct ring *ring) {
    if (__atomic_sub_fetch(&ring->references, 1, __ATOMIC_ACQ_REL))
        return;
    for (struct ring_overflow *one; (one = ring->overflow);) {
        ring->overflow = one->next;
        heap_free(one);
    }
    uring_forget_files(ring);
    heap_free(ring->buffers);
    if (ring->counter)
        (void)!k42_call((file_ref)ring->counter, release);
    (void)!k42_destroy(ring->fcm);
    dma_free(ring->shared);
    heap_free(ring->requests);
    heap_free(ring);
}

/* ---- one call at a time ---- */

k42_result uring_take(struct ring *ring) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&ring->taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(ring->self, RING_BUSY, WAIT_READ);
}

void uring_leave(struct ring *ring) {
    __atomic_exchange_n(&ring->taken, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(ring->self, RING_BUSY, WAIT_READ, 1);
}

/* ---- completions; with the lock ---- */

static uint32_t used(const struct ring *ring) {
    uint32_t head = __atomic_load_n(&ring->shared->cq_head, __ATOMIC_ACQUIRE);
    uint32_t count = ring->cq_tail - head;
    return count < ring->cq_entries ? count : ring->cq_entries;
}

static void put(struct ring *ring, const struct io_uring_cqe *cqe) {
    struct ring_shared *shared = ring->shared;
    struct io_uring_cqe *at = &shared->cqes[ring->cq_tail & (ring->cq_entries - 1)];
    at->user_data = cqe->user_data;
    at->res = cqe->res;
    at->flags = cqe->flags;
    __atomic_store_n(&shared->cq_tail, ++ring->cq_tail, __ATOMIC_RELEASE);
}

static void set_flag(struct ring *ring, bool overflows) {
    uint32_t *flags = &ring->shared->sq_flags;
    if (overflows)
        __atomic_fetch_or(flags, IORING_SQ_CQ_OVERFLOW, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(flags, ~IORING_SQ_CQ_OVERFLOW, __ATOMIC_RELEASE);
}

/* Without memory it is lost, and counted, as on Linux. */
static void keep(struct ring *ring, const struct io_uring_cqe *cqe) {
    struct ring_overflow *kept = heap_allocate_zeroed(sizeof *kept);
    if (!kept) {
        __atomic_fetch_add(&ring->shared->cq_overflow, 1, __ATOMIC_RELAXED);
        return;
    }
    kept->cqe.user_data = cqe->user_data;
    kept->cqe.res = cqe->res;
    kept->cqe.flags = cqe->flags;
    if (ring->overflow)
        ring->overflow_last->next = kept;
    else
        ring->overflow = kept;
    ring->overflow_last = kept;
    ring->overflows++;
    set_flag(ring, true);
}

static void put_kept(struct ring *ring) {
    struct ring_overflow *one = ring->overflow;
    for (; one && used(ring) < ring->cq_entries; one = ring->overflow) {
        put(ring, &one->cqe);
        ring->overflow = one->next;
        ring->overflows--;
        heap_free(one);
    }
    if (!one)
        set_flag(ring, false);
}

/* ---- the same without ---- */

/* One that is taken away at this moment lasts as long as the caller is active. A number that is as
 * large as it gets takes no more, which is as good. */
static void tell_counter(struct ring *ring, bool async) {
    uint64_t one = 1;
    struct copy copy = copy_of_kernel(&one, sizeof one);
    k42_ref counter = __atomic_load_n(&ring->counter, __ATOMIC_ACQUIRE);
    bool quiet =
        __atomic_load_n(&ring->shared->cq_flags, __ATOMIC_RELAXED) & IORING_CQ_EVENTFD_DISABLED;
    bool left_out = __atomic_load_n(&ring->counter_is_async, __ATOMIC_RELAXED) && !async;
    if (counter && !quiet && !left_out)
        (void)!k42_call((file_ref)counter, write, FILE_CURRENT, &copy);
}

void uring_post(struct ring *ring, const struct io_uring_cqe *cqe, unsigned how) {
    k42_lock(&ring->lock);
    if (ring->overflow || used(ring) == ring->cq_entries)
        keep(ring, cqe);
    else
        put(ring, cqe);
    ring->posted += (how & RING_COUNTS) != 0;
    timeouts_count(ring);
    k42_unlock(&ring->lock);
    (void)!wait_notify(ring->self, RING_DATA, WAIT_READ, WAIT_ALL);
    tell_counter(ring, how & RING_ASYNC);
}

uint32_t uring_ready(struct ring *ring) {
    k42_lock(&ring->lock);
    if (ring->overflow)
        put_kept(ring);
    uint32_t count = used(ring);
    k42_unlock(&ring->lock);
    return count;
}

bool uring_is_full(struct ring *ring) {
    k42_lock(&ring->lock);
    bool full = ring->overflow || used(ring) == ring->cq_entries;
    k42_unlock(&ring->lock);
    return full;
}

uint32_t uring_load(struct ring *ring) {
    k42_lock(&ring->lock);
    uint32_t load = ring->running + ring->overflows;
    k42_unlock(&ring->lock);
    return load;
}

unsigned uring_readiness(struct ring *ring) {
    k42_lock(&ring->lock);
    unsigned ready = used(ring) || ring->overflow ? FILE_READABLE : 0;
    k42_unlock(&ring->lock);
    uint32_t waiting = __atomic_load_n(&ring->shared->sq_tail, __ATOMIC_ACQUIRE) - ring->sq_head;
    return ready | (waiting < ring->sq_entries ? FILE_WRITABLE : 0);
}

k42_ref uring_set_counter(struct ring *ring, k42_ref counter, bool async) {
    __atomic_store_n(&ring->counter_is_async, async, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&ring->counter, counter, __ATOMIC_ACQ_REL);
}
