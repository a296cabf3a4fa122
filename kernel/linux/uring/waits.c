/*
 * Requests that wait for something, and those that end them: polling, timeouts, cancelling.
 *
 * Polling many times. Each look that is told of comes after the watch was put into the wait table:
 * what happens later is notified there, and looked at anew; so nothing that comes between two looks
 * is lost, and one thing may be told of twice, as on Linux.
 *
 * Timeouts that count completions are in a list of the ring, in its lock. Fails: -EINVAL, -EFAULT,
 * -ENOENT, -EALREADY.
 */
#include "request.h"

#include "../abi.h"
#include "../clocks.h"
#include "../readiness.h"

#include <k42/k42.h>

/* ---- polling ---- */

k42_result poll_prepare(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    if (entry->buf_index || entry->off || entry->addr || (entry->len & ~IORING_POLL_ADD_MULTI))
        return -EINVAL;
    bool many = entry->len & IORING_POLL_ADD_MULTI;
    if (many && (entry->flags & IOSQE_CQE_SKIP_SUCCESS))
        return -EINVAL;
    request->poll.events = (entry->poll32_events & 0xffff) | POLLERR | POLLHUP;
    request->poll.many = many;
    request->poll.pending = true;
    return 0;
}

k42_result poll_attempt(struct request *request, bool may_sleep) {
    struct file_poll where = {0};
    unsigned wanted = request->poll.events;
    (void)may_sleep;
    k42_result ready = k42_call(request->file, poll, &where);
    unsigned told = ready < 0 ? POLLERR : readiness_told((unsigned)ready) & wanted;
    if (told && (!request->poll.many || !where.object))
        return (k42_result)told;
    request->poll.pending |= request->work.notified;
    if (told && request->poll.pending && request->work.watches) {
        /* One that is told of by its own completions would go on for ever. */
        if (uring_is_full(request->ring))
            return -ECANCELED;
        request->poll.pending = false;
        request_tell(request, (int32_t)told, IORING_CQE_F_MORE);
    }
    request->work.point = (struct wait_point){
        .id = where.object, .key = where.key, .events = readiness_events(wanted)};
    return -K42_WAIT;
}

/* ---- timeouts ---- */

/* When a struct timespec of the program's comes, as a deadline: 1 when it has. */
static k42_result read_deadline(uintptr_t from, unsigned flags, uint64_t *deadline) {
    int64_t ns;
    k42_result result = clocks_read(from, &ns);
    if (result < 0)
        return result;
    *deadline = clocks_after(ns);
    if (flags & IORING_TIMEOUT_ABS) {
        int clock = flags & IORING_TIMEOUT_REALTIME   ? CLOCK_REALTIME
                    : flags & IORING_TIMEOUT_BOOTTIME ? CLOCK_BOOTTIME
                                                      : CLOCK_MONOTONIC;
        result = clocks_deadline(clock, ns, deadline);
    }
    *deadline = *deadline ? *deadline : 1;
    return result;
}

#define CLOCKS IORING_TIMEOUT_CLOCK_MASK

k42_result timeout_prepare(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    unsigned flags = entry->timeout_flags;
    bool links = entry->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK);
    if (entry->buf_index || entry->len != 1 || entry->splice_fd_in ||
        (flags & ~(IORING_TIMEOUT_ABS | CLOCKS | IORING_TIMEOUT_ETIME_SUCCESS)) ||
        (flags & CLOCKS) == CLOCKS ||
        (entry->off && (links || entry->opcode == IORING_OP_LINK_TIMEOUT)))
        return -EINVAL;
    request->may_be_late = flags & IORING_TIMEOUT_ETIME_SUCCESS;
    request->timeout.counts = entry->off;
    return read_deadline(entry->addr, flags, &request->timeout.deadline);
}

static bool counted(const struct request *request) {
    return (int32_t)(request->ring->posted - request->timeout.target) >= 0;
}

/* With the lock, at its first attempt. */
static void begin_counting(struct ring *ring, struct request *request) {
    request->timeout.listed = true;
    request->timeout.target = ring->posted + (uint32_t)request->entry.off;
    request->timeout.next_counting = ring->counting;
    ring->counting = request;
}

void timeouts_count(struct ring *ring) {
    for (struct request *one = ring->counting; one; one = one->timeout.next_counting)
        if (counted(one))
            work_wake(&one->work);
}

void timeout_forget(struct request *request) {
    struct request **link = &request->ring->counting;
    bool limits = request->entry.opcode == IORING_OP_LINK_TIMEOUT;
    if (limits && request->timeout.head)
        request->timeout.head->limit = NULL;
    if (request->entry.opcode != IORING_OP_TIMEOUT || !request->timeout.listed)
        return;
    while (*link != request)
        link = &(*link)->timeout.next_counting;
    *link = request->timeout.next_counting;
}

k42_result timeout_attempt(struct request *request, bool may_sleep) {
    struct ring *ring = request->ring;
    bool over = false;
    (void)may_sleep;
    if (request->timeout.counts) {
        k42_lock(&ring->lock);
        if (!request->timeout.listed)
            begin_counting(ring, request);
        over = counted(request);
        k42_unlock(&ring->lock);
    }
    if (over)
        return 0;
    uint64_t deadline = __atomic_load_n(&request->timeout.deadline, __ATOMIC_RELAXED);
    if (request->work.expired && deadline <= clocks_after(0))
        return -ETIME;
    request->work.expired = false;
    request->work.deadline = deadline;
    request->work.point = (struct wait_point){.events = 0};
    return -K42_WAIT;
}

k42_result limit_attempt(struct request *request, bool may_sleep) {
    struct ring *ring = request->ring;
    (void)may_sleep;
    k42_lock(&ring->lock);
    struct request *head = request->timeout.head;
    k42_result result = head ? -K42_WAIT : -ECANCELED;
    if (head && request->work.expired) {
        result = work_cancel(&head->work) < 0 ? -EALREADY : -ETIME;
        head->limit = NULL;
        request->timeout.head = NULL;
    }
    k42_unlock(&ring->lock);
    request->work.deadline = request->timeout.deadline;
    request->work.point = (struct wait_point){.events = 0};
    return result;
}

/* ---- those that end others ---- */

struct search {
    const struct request *self;
    uint64_t user_data;
    uint8_t operation; /* of which alone, unless `any_operation` */
    bool any_operation, all;
    k42_id file;
    unsigned flags; /* IORING_ASYNC_CANCEL_... */
    uint64_t deadline;
    k42_result result, count;
};

k42_result remove_prepare(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    unsigned flags = entry->timeout_flags, known = 0;
    if (entry->buf_index || entry->splice_fd_in || (entry->flags & IOSQE_FIXED_FILE))
        return -EINVAL;
    if (entry->opcode == IORING_OP_TIMEOUT_REMOVE)
        known = IORING_TIMEOUT_UPDATE | IORING_TIMEOUT_ABS | CLOCKS;
    if (entry->opcode == IORING_OP_ASYNC_CANCEL)
        known = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY;
    bool update = entry->opcode == IORING_OP_TIMEOUT_REMOVE && (flags & IORING_TIMEOUT_UPDATE);
    if ((flags & ~known) || entry->len || (entry->off && !update))
        return -EINVAL;
    if (entry->opcode == IORING_OP_ASYNC_CANCEL && (flags & IORING_ASYNC_CANCEL_FD) &&
        (flags & IORING_ASYNC_CANCEL_ANY))
        return -EINVAL;
    return 0;
}

static bool matches(const struct search *search, const struct request *request) {
    if (request == search->self)
        return false;
    if (search->flags & IORING_ASYNC_CANCEL_ANY)
        return true;
    if (search->flags & IORING_ASYNC_CANCEL_FD)
        return k42_id_of(request->file) == search->file;
    return request->entry.user_data == search->user_data &&
           (search->any_operation || request->entry.opcode == search->operation);
}

/* With the ring's lock. */
static bool end_one(struct request *request, void *context) {
    struct search *search = context;
    if (!matches(search, request))
        return false;
    if (search->deadline) {
        __atomic_store_n(&request->timeout.deadline, search->deadline, __ATOMIC_RELAXED);
        work_wake(&request->work);
        search->result = 0;
    } else {
        search->result = work_cancel(&request->work);
    }
    search->count++;
    return !search->all;
}

static k42_result remove_one(struct request *request, uint8_t operation, uint64_t deadline) {
    struct search search = {.self = request,
                            .user_data = request->entry.addr,
                            .operation = operation,
                            .deadline = deadline,
                            .result = -ENOENT};
    (void)requests_find(request->ring, search.user_data, end_one, &search);
    return search.result;
}

k42_result poll_remove(struct request *request, bool may_sleep) {
    (void)may_sleep;
    return remove_one(request, IORING_OP_POLL_ADD, 0);
}

k42_result timeout_remove(struct request *request, bool may_sleep) {
    unsigned flags = request->entry.timeout_flags;
    uint64_t deadline = 0;
    k42_result result = 0;
    (void)may_sleep;
    if (flags & IORING_TIMEOUT_UPDATE)
        result = read_deadline(request->entry.off, flags, &deadline);
    return result < 0 ? result : remove_one(request, IORING_OP_TIMEOUT, deadline);
}

k42_result cancel_attempt(struct request *request, bool may_sleep) {
    enum { WITHOUT_DATA = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY };
    unsigned flags = request->entry.cancel_flags;
    struct search search = {.self = request,
                            .user_data = request->entry.addr,
                            .any_operation = true,
                            .all = flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY),
                            .flags = flags,
                            .result = -ENOENT};
    (void)may_sleep;
    if (flags & IORING_ASYNC_CANCEL_FD) {
        struct k42_pair file = k42_call(task_self()->descriptors, get, request->entry.fd);
        if (file.result < 0)
            return -EBADF;
        search.file = k42_id_of((file_ref)file.word);
    }
    if (flags & WITHOUT_DATA)
        (void)requests_find_any(request->ring, end_one, &search);
    else
        (void)requests_find(request->ring, search.user_data, end_one, &search);
    return search.all ? search.count : search.result;
}
