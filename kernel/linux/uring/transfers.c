/*
 * Reading and writing for rings, in all their forms.
 *
 * What can be polled is never slept in: an attempt that is not ready says so, with the point that
 * its method has named. What cannot, a file with pages, has its first attempt made at once, and
 * what that leaves is done by a worker, as the system call does it. Ranges of the program's memory
 * are copied when the request is submitted. Fails as read() and write() do.
 */
#include "request.h"

#include "../../arch/x86_64/user_copy.h"
#include "../../mem/heap/heap.h"
#include "../readiness.h"
#include "../signal/signals.h"

#include <k42/k42.h>

enum { MOST_BYTES = FILES_BYTES_MOST };

/* Of the flags of preadv2. */
enum { HIGH_PRIORITY = 1, DATA_SYNC = 2, SYNC = 4, NO_WAIT = 8, APPEND = 16 };

static bool writes(uint8_t operation) {
    return operation == IORING_OP_WRITEV || operation == IORING_OP_WRITE ||
           operation == IORING_OP_WRITE_FIXED;
}

static bool is_fixed(uint8_t operation) {
    return operation == IORING_OP_READ_FIXED || operation == IORING_OP_WRITE_FIXED;
}

static bool has_ranges(uint8_t operation) {
    return operation == IORING_OP_READV || operation == IORING_OP_WRITEV;
}

/* A piece of a registered buffer. */
static k42_result check_buffer(const struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    const struct ring *ring = request->ring;
    if (entry->buf_index >= ring->buffer_count)
        return -EFAULT;
    const struct ring_range *buffer = &ring->buffers[entry->buf_index];
    if (entry->addr < buffer->start || entry->len > buffer->length ||
        entry->addr - buffer->start > buffer->length - entry->len)
        return -EFAULT;
    return 0;
}

static k42_result set_up(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    k42_result result = 0;
    if (has_ranges(entry->opcode)) {
        result = files_vectors_get(&request->io.vectors, entry->addr, entry->len);
        request->io.has_vectors = result >= 0;
        request->io.transfer.copy =
            copy_of_ranges(request->io.vectors.at, request->io.vectors.total, true);
        return result;
    }
    if (is_fixed(entry->opcode))
        result = check_buffer(request);
    else if (!user_range_ok(entry->addr, entry->len))
        result = -EFAULT;
    size_t length = entry->len < MOST_BYTES ? entry->len : MOST_BYTES;
    request->io.transfer.copy = copy_of_user(entry->addr, length);
    return result;
}

k42_result transfer_prepare(struct request *request) {
    const struct io_uring_sqe *entry = &request->entry;
    unsigned known = HIGH_PRIORITY | DATA_SYNC | SYNC | NO_WAIT | APPEND;
    if (entry->rw_flags & ~known)
        return -EOPNOTSUPP;
    if (entry->off != (uint64_t)FILE_CURRENT && (int64_t)entry->off < 0)
        return -EINVAL;
    request->io.transfer.offset = (int64_t)entry->off;
    request->io.transfer.write = writes(entry->opcode);
    k42_result result = set_up(request);
    if (request->ring->tells)
        return result;
    request->io.failure = result; /* of io_uring it is the request's end that tells */
    return 0;
}

void transfer_end(struct request *request) {
    if (request->operation && request->operation->attempt == transfer_attempt &&
        request->io.has_vectors)
        files_vectors_end(&request->io.vectors);
}

/* ---- what can be polled ---- */

/* Pages of the program are waited for on the spot; all else is where the request rests. */
static k42_result without_waiting(struct files_transfer *transfer, bool *waits) {
    k42_result result = files_transfer_once(transfer);
    *waits = result == -K42_WAIT;
    return *waits ? -EAGAIN : result;
}

static void tell_of_broken_pipe(const struct request *request) {
    if (k42_call(request->file, control, FILE_NO_SIGNAL, 0) <= 0)
        files_tell_self(SIGPIPE);
}

static k42_result transfer_polled(struct request *request, bool may_sleep) {
    struct files_transfer *transfer = &request->io.transfer;
    bool waits;
    k42_result result;
    transfer->offset = FILE_CURRENT;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, without_waiting(transfer, &waits));
    if (result == -EPIPE && transfer->write && !may_sleep)
        tell_of_broken_pipe(request);
    if (result != -EAGAIN || (request->entry.rw_flags & NO_WAIT))
        return result;
    request->work.point = wait_noted();
    if (waits)
        return -K42_WAIT;
    return request_wait_for_file(request, readiness_events(transfer->write ? POLLOUT : POLLIN));
}

/* ---- what has pages ---- */

static k42_result finish_transfer(struct request *request) {
    struct files_transfer *transfer = &request->io.transfer;
    k42_result done = request->io.done;
    k42_result result = files_transfer(transfer);
    if (result < 0)
        return done ? done : result;
    return done + result;
}

/* A worker goes on where this stopped. Writes to the end do not come here twice. */
static k42_result begin_transfer(struct request *request) {
    struct files_transfer *transfer = &request->io.transfer;
    struct copy *copy = &transfer->copy;
    if (copy->left > 2 << 20)
        return -WORK_SLEEPS;
    k42_result result = files_transfer_once(transfer);
    request->io.done += result > 0 ? result : 0;
    bool over = result >= 0 && (transfer->write ? !copy->left || !result : !copy->unfinished);
    if (over || (result < 0 && result > -K42_WAIT))
        return result;
    return request->entry.rw_flags & NO_WAIT ? request->io.done ? request->io.done : -EAGAIN
                                             : -WORK_SLEEPS;
}

k42_result transfer_attempt(struct request *request, bool may_sleep) {
    struct files_transfer *transfer = &request->io.transfer;
    struct file_poll where = {0};
    if (request->io.failure < 0)
        return request->io.failure;
    transfer->file = request->file;
    if (request->entry.rw_flags & APPEND)
        transfer->offset = transfer->offset == FILE_CURRENT ? FILE_TO_END : FILE_AT_END;
    k42_result ready = k42_call(request->file, poll, &where);
    if (ready >= 0 && where.object)
        return transfer_polled(request, may_sleep);
    return request->work.sleeps ? finish_transfer(request) : begin_transfer(request);
}
