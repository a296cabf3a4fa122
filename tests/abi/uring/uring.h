/*
 * A ring for the cases: made and mapped, entries put in, completions taken and said in the order of
 * their data, since those of one batch may come in any.
 */
#ifndef ABI_URING_H
#define ABI_URING_H

#include "abi.h"

#include <linux/io_uring.h>

struct uring {
    int fd;
    struct io_uring_params params;
    uint32_t *sq_head, *sq_tail, *sq_flags, *sq_dropped, *array;
    uint32_t *cq_head, *cq_tail, *cq_flags;
    struct io_uring_cqe *cqes;
    struct io_uring_sqe *sqes;
};

static inline void *uring_map(struct uring *ring, size_t size, uint64_t offset) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
                    (off_t)offset);
    if (at == MAP_FAILED)
        give_up("no ring");
    return at;
}

static inline struct uring uring_make(unsigned entries, unsigned flags, unsigned completions) {
    struct uring ring = {.params = {.flags = flags, .cq_entries = completions}};
    struct io_uring_params *p = &ring.params;
    ring.fd = (int)syscall(SYS_io_uring_setup, entries, p);
    if (ring.fd < 0)
        give_up("no io_uring");
    char *sq = uring_map(&ring, p->sq_off.array + p->sq_entries * 4ul, IORING_OFF_SQ_RING);
    char *cq =
        uring_map(&ring, p->cq_off.cqes + p->cq_entries * sizeof *ring.cqes, IORING_OFF_CQ_RING);
    ring.sqes = uring_map(&ring, p->sq_entries * sizeof *ring.sqes, IORING_OFF_SQES);
    ring.sq_head = (uint32_t *)(void *)(sq + p->sq_off.head);
    ring.sq_tail = (uint32_t *)(void *)(sq + p->sq_off.tail);
    ring.sq_flags = (uint32_t *)(void *)(sq + p->sq_off.flags);
    ring.sq_dropped = (uint32_t *)(void *)(sq + p->sq_off.dropped);
    ring.array = (uint32_t *)(void *)(sq + p->sq_off.array);
    ring.cq_head = (uint32_t *)(void *)(cq + p->cq_off.head);
    ring.cq_tail = (uint32_t *)(void *)(cq + p->cq_off.tail);
    ring.cq_flags = (uint32_t *)(void *)(cq + p->cq_off.flags);
    ring.cqes = (struct io_uring_cqe *)(void *)(cq + p->cq_off.cqes);
    return ring;
}

/* The next free entry, which is given to the kernel with the next uring_enter(). */
static inline struct io_uring_sqe *uring_put(struct uring *ring, int operation, int fd,
                                             const void *address, unsigned length, uint64_t data) {
    uint32_t tail = *ring->sq_tail, at = tail & (ring->params.sq_entries - 1);
    struct io_uring_sqe *entry = &ring->sqes[at];
    memset(entry, 0, sizeof *entry);
    entry->opcode = (uint8_t)operation;
    entry->fd = fd;
    entry->addr = (uintptr_t)address;
    entry->len = length;
    entry->user_data = data;
    ring->array[at] = at;
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
    return entry;
}

static inline unsigned uring_count(const struct uring *ring) {
    return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - *ring->cq_head;
}

/* Submits what was put in; waits until so many were completed; what was submitted is to be all. */
#define uring_enter(ring, wanted)                                                                  \
    do {                                                                                           \
        unsigned put_ = *(ring)->sq_tail - __atomic_load_n((ring)->sq_head, __ATOMIC_ACQUIRE);     \
        gives(put_, io_uring_enter, (ring)->fd, put_, wanted, IORING_ENTER_GETEVENTS, 0, 0);       \
    } while (0)

static inline int uring_by_data(const void *one, const void *other) {
    const struct io_uring_cqe *a = one, *b = other;
    return a->user_data < b->user_data ? -1 : a->user_data > b->user_data;
}

/* Takes all that was completed and says it. */
static inline void uring_say(struct uring *ring) {
    static struct io_uring_cqe taken[256];
    unsigned count = uring_count(ring), head = *ring->cq_head;
    for (unsigned i = 0; i < count && i < 256; i++)
        taken[i] = ring->cqes[(head + i) & (ring->params.cq_entries - 1)];
    __atomic_store_n(ring->cq_head, head + count, __ATOMIC_RELEASE);
    qsort(taken, count < 256 ? count : 256, sizeof *taken, uring_by_data);
    for (unsigned i = 0; i < count && i < 256; i++) {
        const struct io_uring_cqe *one = &taken[i];
        if (one->res < 0)
            say("  %d: %s%s", (int)one->user_data, strerrorname_np(-one->res),
                one->flags & IORING_CQE_F_MORE ? " and more" : "");
        else
            say("  %d: %d%s", (int)one->user_data, one->res,
                one->flags & IORING_CQE_F_MORE ? " and more" : "");
    }
}

/* All of it with one entry. */
#define uring_do(ring)                                                                             \
    do {                                                                                           \
        uring_enter(ring, 1);                                                                      \
        uring_say(ring);                                                                           \
    } while (0)

#endif
