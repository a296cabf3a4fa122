/*
 * Submitting: from entries that a program has put into a ring to requests.
 *
 * An entry is copied once, and so is its index: what the program changes afterwards is nobody's
 * matter. A chain is put together until its last entry, and then started at its head. One with an
 * entry that makes no sense is not started: it fails as a whole.
 *
 * With the ring taken. What goes on when the call is over has the program's memory, files and
 * rights by its staff and by holds of its own. Fails: -EAGAIN, no memory.
 */
#include "request.h"

#include "../../mem/heap/heap.h"
#include "../process/lives.h"

#include <k42/k42.h>

#define KNOWN_FLAGS                                                                                \
    (IOSQE_FIXED_FILE | IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK | IOSQE_ASYNC |         \
     IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS)
#define LINKS (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)

struct chain {
    struct request *head, *last;
    bool failed;
};

k42_result request_prepare(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    const struct operation *operation = operation_find(entry->opcode);
    if (!operation || (entry->flags & ~KNOWN_FLAGS) || entry->personality)
        return -EINVAL;
    if (entry->flags & IOSQE_BUFFER_SELECT)
        return -EOPNOTSUPP;
    request->operation = operation;
    /* Who does not see each completion cannot wait for all: as on Linux, it is one or the other. */
    request->ring->skips |= (entry->flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
    if ((entry->flags & IOSQE_IO_DRAIN) && request->ring->skips)
        return -EOPNOTSUPP;
    if ((entry->flags & IOSQE_FIXED_FILE) && k42_id_of(request->ring->files) &&
        k42_call(request->ring->files, hold) >= 0)
        request->files = request->ring->files;
    return operation->prepare ? operation->prepare(request) : 0;
}

struct request *request_make(struct ring *ring, const struct io_uring_sqe *entry) {
    enum { MOST = 1 << 17 }; /* of a ring, with what it was not told of yet */
    struct staff *staff = uring_load(ring) < MOST ? staff_of_self() : NULL;
    struct request *request = staff ? heap_allocate_zeroed(sizeof *request) : NULL;
    if (!request)
        return NULL;
    __builtin_memcpy(&request->entry, entry, sizeof request->entry);
    __asm__ volatile("" ::: "memory"); /* it is not read again */
    request->ring = uring_hold(ring);
    request->work.staff = staff;
    request->credentials = credentials_hold(task_self()->credentials);
    return request;
}

static const struct io_uring_sqe *entry_at(const struct ring *ring, uint32_t index) {
    const void *entries = (const char *)ring->shared + ring->sqes_at;
    return (const struct io_uring_sqe *)entries + index;
}

/* The next index; false: it is none of an entry, and is dropped. */
static bool next_index(struct ring *ring, uint32_t *index) {
    uint32_t at = ring->sq_head++ & (ring->sq_entries - 1);
    *index = __atomic_load_n(&ring->array[at], __ATOMIC_RELAXED);
    if (*index < ring->sq_entries)
        return true;
    __atomic_fetch_add(&ring->shared->sq_dropped, 1, __ATOMIC_RELAXED);
    return false;
}

/* What comes after one that drains does so, too. */
static bool drains(struct ring *ring, struct request *head) {
    bool does = (head->entry.flags & IOSQE_IO_DRAIN) || ring->drains_next;
    ring->drains_next = head->entry.flags & IOSQE_IO_DRAIN;
    if (does)
        head->entry.flags |= IOSQE_IO_DRAIN;
    return does;
}

static void end_chain(struct ring *ring, struct chain *chain) {
    struct request *head = chain->head;
    if (head && chain->failed)
        requests_fail(head);
    else if (head)
        request_start(head, drains(ring, head));
    *chain = (struct chain){.failed = false};
}

/* A linked timeout is that of the one before it. */
static k42_result check_limit(const struct chain *chain, const struct request *request) {
    bool limits = request->entry.opcode == IORING_OP_LINK_TIMEOUT;
    bool has_head = chain->head && chain->last->entry.opcode != IORING_OP_LINK_TIMEOUT;
    return limits && !has_head ? -EINVAL : 0;
}

/* False: nothing is submitted after this one. */
static bool add(struct ring *ring, struct chain *chain, struct request *request) {
    request->failure = request_prepare(request);
    if (request->failure >= 0)
        request->failure = check_limit(chain, request);
    bool failed = request->failure < 0, links = request->entry.flags & LINKS;
    chain->failed |= failed;
    if (chain->head)
        chain->last->link = request;
    else
        chain->head = request;
    chain->last = request;
    if (!links)
        end_chain(ring, chain);
    return links || !failed || (ring->flags & IORING_SETUP_SUBMIT_ALL);
}

k42_result uring_submit(struct ring *ring, uint32_t count) {
    uint32_t waiting = __atomic_load_n(&ring->shared->sq_tail, __ATOMIC_ACQUIRE) - ring->sq_head;
    struct chain chain = {.failed = false};
    uint32_t done = 0, index;
    count = count < waiting ? count : waiting;
    count = count < ring->sq_entries ? count : ring->sq_entries;
    bool goes_on = true, memory = true;
    while (done < count && goes_on && next_index(ring, &index)) {
        struct request *request = request_make(ring, entry_at(ring, index));
        memory = request;
        if (!request) {
            ring->sq_head--;
            break;
        }
        goes_on = add(ring, &chain, request);
        done++;
        k42_safe_point();
    }
    end_chain(ring, &chain);
    __atomic_store_n(&ring->shared->sq_head, ring->sq_head, __ATOMIC_RELEASE);
    return done || memory ? (k42_result)done : -EAGAIN;
}
