/*
 * The life of a request: started alone or as the head of a chain, finished, and what that sets off.
 *
 * A request is among those of its ring from its start to its end, under the ring's lock; so whoever
 * looks one up and cancels it with the lock held finds it alive. The next one of a chain belongs to
 * the one before it until that is over; the same thread goes on with it, in a loop, so a long chain
 * needs no deep stack.
 *
 * A linked timeout (IORING_OP_LINK_TIMEOUT) leaves the chain when the one before it begins, and
 * runs beside it. The two know each other as long as both are listed; who ends first says so, under
 * the lock: the timeout by cancelling its head, the head by cancelling its timeout.
 *
 * Draining. What has IOSQE_IO_DRAIN, and everything that is submitted after it, waits until nothing
 * that came before is under way: `running` counts those that do not wait so. Deferred requests rest
 * like any other, so they are cancelled like any other; the last one that is over wakes the first.
 * One that goes by being cancelled leaves the list itself, and lets those behind it pass.
 *
 * Fails: -ENOMEM. Locking: ring->lock.
 */
#include "request.h"

#include "../../mem/heap/heap.h"
#include "../process/lives.h"

#include <k42/k42.h>

/* ---- completions ---- */

void request_tell(struct request *request, int32_t result, uint32_t flags) {
    if (request->ring->tells) {
        request->ring->tells(request, result);
        return;
    }
    struct io_uring_cqe cqe = {
        .user_data = request->entry.user_data, .res = result, .flags = flags};
    bool counts = request->entry.opcode != IORING_OP_TIMEOUT;
    uring_post(request->ring, &cqe, (request->async ? RING_ASYNC : 0) | (counts ? RING_COUNTS : 0));
}

/* What would be made again after a signal is not; who wanted it is told. */
static int32_t told(k42_result result) {
    if (result > -4096)
        return (int32_t)result;
    bool interrupted = result <= -LINUX_RESTART && result >= -LINUX_RESTART_BLOCK;
    return interrupted ? -EINTR : result == -K42_STALE ? -EBADF : -EIO;
}

static void complete(struct request *request, k42_result result) {
    bool silent = (request->entry.flags & IOSQE_CQE_SKIP_SUCCESS) && !request->fails_chain;
    if (!silent)
        request_tell(request, told(result), 0);
}

/* ---- its memory ---- */

void request_free(struct request *request) {
    transfer_end(request);
    if (k42_id_of(request->file))
        (void)!k42_call(request->file, release);
    if (k42_id_of(request->files))
        (void)!k42_call(request->files, release);
    if (request->counter)
        (void)!k42_call((file_ref)request->counter, release);
    credentials_release(request->credentials);
    uring_release(request->ring);
    heap_free(request);
}

/* ---- those under way ---- */

static struct request **bucket_of(const struct ring *ring, uint64_t user_data) {
    return &ring->requests[(user_data * 0x9e3779b97f4a7c15ul >> 32) & (ring->sq_entries - 1)];
}

/* With the lock. */
static bool look_through(struct request *one, bool (*fn)(struct request *request, void *context),
                         void *context) {
    while (one && !fn(one, context))
        one = one->after;
    return one;
}

bool requests_find(struct ring *ring, uint64_t user_data,
                   bool (*fn)(struct request *request, void *context), void *context) {
    k42_lock(&ring->lock);
    bool found = look_through(*bucket_of(ring, user_data), fn, context);
    k42_unlock(&ring->lock);
    return found;
}

bool requests_find_any(struct ring *ring, bool (*fn)(struct request *request, void *context),
                       void *context) {
    bool found = false;
    k42_lock(&ring->lock);
    for (uint32_t i = 0; i < ring->sq_entries && !found; i++)
        found = look_through(ring->requests[i], fn, context);
    k42_unlock(&ring->lock);
    return found;
}

static bool end_it(struct request *request, void *context) {
    (void)context;
    (void)work_cancel(&request->work);
    return false;
}

void requests_end(struct ring *ring) {
    (void)requests_find_any(ring, end_it, NULL);
}

/* With the lock. */
static void list(struct ring *ring, struct request *request) {
    struct request **bucket = bucket_of(ring, request->entry.user_data);
    request->before = NULL;
    request->after = *bucket;
    if (*bucket)
        (*bucket)->before = request;
    *bucket = request;
}

static void unlist(struct ring *ring, struct request *request) {
    if (request->after)
        request->after->before = request->before;
    if (request->before)
        request->before->after = request->after;
    else
        *bucket_of(ring, request->entry.user_data) = request->after;
}

/* ---- those that wait for others ---- */

static void defer(struct ring *ring, struct request *request) {
    request->deferred = true;
    if (ring->deferred)
        ring->deferred_last->next_deferred = request;
    else
        ring->deferred = request;
    ring->deferred_last = request;
}

static void take_out(struct ring *ring, const struct request *request) {
    struct request **link = &ring->deferred, *before = NULL;
    for (; *link != request; link = &before->next_deferred)
        before = *link;
    *link = request->next_deferred;
    if (!request->next_deferred)
        ring->deferred_last = before;
}

/* As many from the first on as may go now. They are alive, for they are listed. */
static void wake_deferred(struct ring *ring) {
    for (struct request *first; (first = ring->deferred);) {
        if ((first->entry.flags & IOSQE_IO_DRAIN) && ring->running)
            return;
        ring->deferred = first->next_deferred;
        ring->running++;
        __atomic_store_n(&first->deferred, false, __ATOMIC_RELEASE);
        work_wake(&first->work);
    }
}

/* ---- its end ---- */

/* The rest of a chain one of which has failed. */
void requests_fail(struct request *request) {
    while (request) {
        struct request *next = request->link;
        k42_result result = request->failure ? request->failure : -ECANCELED;
        request->fails_chain = true;
        complete(request, result);
        request_free(request);
        request = next;
    }
}

static struct work *begin(struct request *request);
static struct request *begin_limit(struct request *request);

/* The next of a chain; the timeout that goes with it is a worker's to begin. */
static struct work *begin_next(struct request *next) {
    struct request *limit = begin_limit(next);
    struct work *work = begin(next);
    if (limit)
        work_start_elsewhere(&limit->work);
    return work;
}

/* Before anybody is told of its end: who was told does not find it any more. */
static void take_away(struct request *request) {
    struct ring *ring = request->ring;
    k42_lock(&ring->lock);
    unlist(ring, request);
    timeout_forget(request);
    if (request->limit) {
        request->limit->timeout.head = NULL;
        (void)work_cancel(&request->limit->work);
        request->limit = NULL;
    }
    if (request->deferred)
        take_out(ring, request);
    k42_unlock(&ring->lock);
}

static void leave(struct request *request) {
    struct ring *ring = request->ring;
    k42_lock(&ring->lock);
    ring->running -= !request->deferred;
    wake_deferred(ring);
    bool last = !ring->running && ring->ends;
    k42_unlock(&ring->lock);
    if (last)
        (void)!wait_notify(ring->self, RING_DATA, WAIT_READ, WAIT_ALL);
    staff_leave(&request->work);
}

static struct work *request_finish(struct work *work, k42_result result) {
    struct request *request = REQUEST(work), *next = request->link;
    bool ends = result == -ECANCELED && staff_is_ending(work->staff);
    request->fails_chain |= result < 0 && !(result == -ETIME && request->may_be_late);
    bool goes_on = !request->fails_chain;
    if (request->entry.flags & IOSQE_IO_HARDLINK)
        goes_on = true;
    take_away(request);
    complete(request, result);
    if (next && (!goes_on || ends)) {
        requests_fail(next);
        next = NULL;
    }
    struct work *following = next ? begin_next(next) : NULL;
    leave(request);
    request_free(request);
    return following;
}

/* ---- its start ---- */

/* The file is looked up when it is used: the one before in the chain may have made it. */
static k42_result find_file(struct request *request) {
    if (!request->operation->needs_file || k42_id_of(request->file))
        return 0;
    descriptors_ref from = task_self()->descriptors;
    if (request->entry.flags & IOSQE_FIXED_FILE)
        from = request->files;
    if (!k42_id_of(from))
        return -EBADF;
    struct k42_pair found = k42_call(from, get, request->entry.fd);
    if (found.result < 0 || k42_call((file_ref)found.word, hold) < 0)
        return -EBADF;
    request->file = (file_ref)found.word;
    return 0;
}

/* A worker does it with the rights that its submitter had. */
static k42_result attempt_as_submitter(struct request *request) {
    struct task *task = task_self();
    struct credentials *own = task->credentials;
    request->async = true;
    __atomic_store_n(&task->credentials, request->credentials, __ATOMIC_RELEASE);
    k42_result result = request->operation->attempt(request, true);
    __atomic_store_n(&task->credentials, own, __ATOMIC_RELEASE);
    return result;
}

static k42_result request_attempt(struct work *work, bool may_sleep) {
    struct request *request = REQUEST(work);
    if (__atomic_load_n(&request->deferred, __ATOMIC_ACQUIRE)) {
        work->point = (struct wait_point){.events = 0};
        return -K42_WAIT;
    }
    k42_result result = request->failure ? request->failure : find_file(request);
    if (result < 0)
        return result;
    /* Who sleeps does so only after another worker was seen to. */
    if (request->operation->sleeps && !work->sleeps)
        return -WORK_SLEEPS;
    return may_sleep ? attempt_as_submitter(request) : request->operation->attempt(request, false);
}

static const struct work_kind request_kind = {
    .attempt = request_attempt,
    .finish = request_finish,
};

/* The next of a chain, while the one before it still counts. */
static struct work *begin(struct request *request) {
    struct ring *ring = request->ring;
    staff_join(request->work.staff, &request->work, &request_kind);
    k42_lock(&ring->lock);
    list(ring, request);
    ring->running++;
    k42_unlock(&ring->lock);
    return &request->work;
}

/* Takes it out of the chain; it is not attempted yet. */
static struct request *begin_limit(struct request *request) {
    struct request *limit = request->link;
    if (!limit || limit->entry.opcode != IORING_OP_LINK_TIMEOUT)
        return NULL;
    request->link = limit->link;
    limit->link = NULL;
    limit->timeout.head = request;
    request->limit = limit;
    (void)begin(limit);
    return limit;
}

void request_start(struct request *request, bool drains) {
    struct ring *ring = request->ring;
    struct request *limit = begin_limit(request);
    staff_join(request->work.staff, &request->work, &request_kind);
    k42_lock(&ring->lock);
    list(ring, request);
    if (ring->deferred || (drains && ring->running))
        defer(ring, request);
    else
        ring->running++;
    k42_unlock(&ring->lock);
    if (request->entry.flags & IOSQE_ASYNC)
        work_start_elsewhere(&request->work);
    else
        work_start(&request->work);
    if (limit)
        work_start(&limit->work);
}

k42_result request_wait_for_file(struct request *request, unsigned events) {
    struct file_poll where = {0};
    k42_result ready = k42_call(request->file, poll, &where);
    if (ready < 0 || !where.object)
        return -EAGAIN;
    request->work.point =
        (struct wait_point){.id = where.object, .key = where.key, .events = events};
    return -K42_WAIT;
}
