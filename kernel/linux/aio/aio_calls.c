/*
 * io_setup, io_submit, io_getevents and their like. See context.h.
 *
 * A control block becomes an entry as io_uring has them; data, and the address by which it is
 * cancelled, go along. What is wrong with a block that can be seen at once is said by io_submit,
 * all else by its event. Fails: -EINVAL, -EFAULT, -EAGAIN, -EBADF, -EINTR, -EINPROGRESS.
 */
#include "context.h"

#include "../clocks.h"
#include "../readiness.h"
#include "../signal/signals.h"

#include <k42/k42.h>

enum { EVENTS_MOST = 65536 };

LINUX_CALL(206, io_setup, unsigned events, uintptr_t context_at) {
    uint64_t address;
    k42_result result = files_copy_in(&address, context_at, sizeof address);
    if (result < 0)
        return result;
    if (address || !events || events > INT32_MAX / 64)
        return -EINVAL;
    if (events > EVENTS_MOST)
        return -EAGAIN;
    result = aio_make(events, &address);
    if (result < 0)
        return result;
    result = files_copy_out(context_at, &address, sizeof address);
    struct ring *context;
    file_ref file;
    if (result < 0 && aio_get(address, &file, &context) >= 0) {
        (void)!aio_end(context, address);
        (void)!k42_call(file, release);
    }
    return result;
}

LINUX_CALL(207, io_destroy, uint64_t address) {
    struct ring *context;
    file_ref file;
    k42_result result = aio_get(address, &file, &context);
    if (result < 0)
        return result;
    result = aio_end(context, address);
    (void)!k42_call(file, release);
    return result;
}

/* ---- submitting ---- */

/* What is not one of the operations is NOP, which no block asks for. */
static uint8_t operation_of(const struct iocb *block) {
    switch (block->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
        return IORING_OP_READ;
    case IOCB_CMD_PWRITE:
        return IORING_OP_WRITE;
    case IOCB_CMD_PREADV:
        return IORING_OP_READV;
    case IOCB_CMD_PWRITEV:
        return IORING_OP_WRITEV;
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        return IORING_OP_FSYNC;
    case IOCB_CMD_POLL:
        return IORING_OP_POLL_ADD;
    default:
        return IORING_OP_NOP;
    }
}

static bool has_file_for(const struct iocb *block, unsigned flags) {
    switch (block->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
        return open_reads(flags);
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
        return open_writes(flags);
    default:
        return true;
    }
}

static k42_result to_entry(const struct iocb *block, uint64_t at, struct io_uring_sqe *entry) {
    *entry = (struct io_uring_sqe){.opcode = operation_of(block),
                                   .fd = (int32_t)block->aio_fildes,
                                   .user_data = at,
                                   .addr3 = block->aio_data};
    if (entry->opcode == IORING_OP_NOP)
        return -EINVAL;
    bool transfers = entry->opcode != IORING_OP_FSYNC && entry->opcode != IORING_OP_POLL_ADD;
    if (transfers) {
        if (block->aio_offset < 0)
            return -EINVAL;
        entry->off = (uint64_t)block->aio_offset;
        entry->addr = block->aio_buf;
        entry->len = block->aio_nbytes < FILES_BYTES_MOST ? (uint32_t)block->aio_nbytes
                                                          : (uint32_t)FILES_BYTES_MOST;
        entry->rw_flags = (uint32_t)block->aio_rw_flags;
        return 0;
    }
    if (block->aio_offset || block->aio_nbytes || block->aio_rw_flags)
        return -EINVAL;
    if (entry->opcode == IORING_OP_POLL_ADD) {
        entry->poll32_events = (uint16_t)block->aio_buf;
        return block->aio_buf >> 16 ? -EINVAL : 0;
    }
    entry->fsync_flags = block->aio_lio_opcode == IOCB_CMD_FDSYNC ? IORING_FSYNC_DATASYNC : 0;
    return block->aio_buf ? -EINVAL : 0;
}

/* An eventfd that is told of its event, held. */
static k42_result find_counter(const struct iocb *block, k42_ref *counter) {
    file_ref file;
    *counter = K42_NULL_REF;
    if (!(block->aio_flags & IOCB_FLAG_RESFD))
        return 0;
    k42_result result = files_get((int)block->aio_resfd, &file);
    if (result < 0)
        return result;
    if (k42_call(file, control, FILE_KIND, 0) != FILE_OF_COUNTER)
        return -EINVAL;
    *counter = (k42_ref)file;
    return k42_call(file, hold) < 0 ? -EBADF : 0;
}

static k42_result check_block(const struct iocb *block) {
    file_ref file;
    if (block->aio_reserved2 || (int64_t)block->aio_nbytes < 0)
        return -EINVAL;
    k42_result result = files_get((int)block->aio_fildes, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH))
        return -EBADF;
    return has_file_for(block, (unsigned)result) ? 0 : -EBADF;
}

static k42_result start(struct ring *context, const struct iocb *block, uint64_t at) {
    struct io_uring_sqe entry;
    k42_ref counter;
    k42_result result = to_entry(block, at, &entry);
    if (result >= 0)
        result = find_counter(block, &counter);
    if (result < 0)
        return result;
    struct request *request = request_make(context, &entry);
    if (!request) {
        if (counter)
            (void)!k42_call((file_ref)counter, release);
        return -EAGAIN;
    }
    request->counter = counter;
    result = request_prepare(request);
    if (result < 0)
        request_free(request);
    else
        request_start(request, false);
    return result;
}

/* The key by which io_cancel() knows that the block was submitted is 0. */
static k42_result submit_one(struct ring *context, uintptr_t pointer) {
    static const uint32_t key;
    struct iocb block;
    uint64_t at;
    k42_result result = files_copy_in(&at, pointer, sizeof at);
    if (result >= 0)
        result = files_copy_in(&block, at, sizeof block);
    if (result < 0)
        return result;
    if (block.aio_reserved2)
        return -EINVAL;
    if (!aio_has_room(context))
        return -EAGAIN;
    result = check_block(&block);
    if (result >= 0)
        result = files_copy_out(at + offsetof(struct iocb, aio_key), &key, sizeof key);
    return result < 0 ? result : start(context, &block, at);
}

static k42_result submit_all(struct ring *context, long count, uintptr_t blocks) {
    k42_result result;
    long done = 0;
    WAIT_CALL(result, WAIT_FOREVER, 0, uring_take(context));
    if (result < 0)
        return result;
    for (; done < count; done++) {
        result = submit_one(context, blocks + (size_t)done * sizeof(uint64_t));
        if (result < 0)
            break;
        k42_safe_point();
    }
    uring_leave(context);
    return done ? done : result;
}

LINUX_CALL(209, io_submit, uint64_t address, long count, uintptr_t blocks) {
    struct ring *context;
    file_ref file;
    if (count < 0)
        return -EINVAL;
    k42_result result = aio_get(address, &file, &context);
    if (result < 0)
        return result;
    result = submit_all(context, count, blocks);
    (void)!k42_call(file, release);
    return linux_result(result, -EINVAL);
}

/* ---- collecting ---- */

static k42_result collect_once(struct ring *context, uintptr_t to, uint32_t most) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, uring_take(context));
    if (result < 0)
        return result;
    result = aio_collect(context, to, most);
    uring_leave(context);
    return result;
}

static k42_result any(struct ring *context) {
    if (__atomic_load_n(&context->ends, __ATOMIC_RELAXED))
        return -EINVAL;
    return aio_waiting(context) ? 0 : wait_on(context->self, RING_DATA, WAIT_READ);
}

/* What was collected counts, whatever comes after it. */
static k42_result collect(struct ring *context, long fewest, long most, uintptr_t to,
                          uint64_t deadline) {
    k42_result result = 0;
    long done = 0;
    most = most < EVENTS_MOST * 4 ? most : EVENTS_MOST * 4;
    for (;;) {
        result = collect_once(context, to + (size_t)done * sizeof(struct io_event),
                              (uint32_t)(most - done));
        done += result > 0 ? result : 0;
        if (result < 0 || done >= fewest || !deadline)
            break;
        WAIT_CALL(result, deadline, 0, any(context));
        if (result < 0)
            break;
    }
    return done || result == -ETIMEDOUT ? done : result;
}

static k42_result get_events(uint64_t address, long fewest, long most, uintptr_t to,
                             uint64_t deadline) {
    struct ring *context;
    file_ref file;
    k42_result result = aio_get(address, &file, &context);
    if (result < 0)
        return result;
    result = fewest > most || fewest < 0 ? -EINVAL : collect(context, fewest, most, to, deadline);
    (void)!k42_call(file, release);
    return result == -K42_STALE ? -EINVAL : result;
}

static k42_result read_deadline(uintptr_t from, uint64_t *deadline) {
    int64_t ns;
    *deadline = WAIT_FOREVER;
    k42_result result = from ? clocks_read(from, &ns) : 0;
    if (result >= 0 && from)
        *deadline = ns ? clocks_after(ns) : 0;
    return result;
}

LINUX_CALL(208, io_getevents, uint64_t address, long fewest, long most, uintptr_t to,
           uintptr_t time) {
    uint64_t deadline;
    k42_result result = read_deadline(time, &deadline);
    return result < 0 ? result : get_events(address, fewest, most, to, deadline);
}

LINUX_CALL(333, io_pgetevents, uint64_t address, long fewest, long most, uintptr_t to,
           uintptr_t time, uintptr_t mask) {
    uint64_t pair[2] = {0}; /* the mask's address and its size */
    uint64_t deadline;
    k42_result result = read_deadline(time, &deadline);
    if (result >= 0 && mask)
        result = files_copy_in(pair, mask, sizeof pair);
    if (result >= 0)
        result = readiness_set_mask(pair[0], pair[1]);
    if (result < 0)
        return result;
    result = get_events(address, fewest, most, to, deadline);
    if (result != -EINTR)
        signal_mask_restore();
    return result == -EINTR ? -LINUX_RESTART_NO_HANDLER : result;
}

/* ---- cancelling ---- */

struct search {
    uint64_t block;
    k42_result result;
};

/* With the ring's lock. Only what waits for readiness can be, as on Linux. */
static bool cancel_one(struct request *request, void *context) {
    struct search *search = context;
    if (request->entry.user_data != search->block || request->entry.opcode != IORING_OP_POLL_ADD)
        return false;
    if (work_cancel(&request->work) >= 0)
        search->result = -EINPROGRESS;
    return true;
}

/* Its event tells how it ended; the result is not written. */
LINUX_CALL(210, io_cancel, uint64_t address, uintptr_t block, uintptr_t result_at) {
    struct ring *context;
    file_ref file;
    uint32_t key;
    (void)result_at;
    k42_result result = files_copy_in(&key, block + offsetof(struct iocb, aio_key), sizeof key);
    if (result >= 0 && key)
        result = -EINVAL;
    if (result >= 0)
        result = aio_get(address, &file, &context);
    if (result < 0)
        return result;
    struct search search = {.block = block, .result = -EINVAL};
    (void)requests_find(context, block, cancel_one, &search);
    (void)!k42_call(file, release);
    return search.result;
}
