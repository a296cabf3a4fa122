/*
 * read, write and their like: bytes between a file and a program.
 *
 * The first attempt holds nothing, and nearly every transfer is over with it. When it says to wait,
 * the file is held for as long as the call sleeps, if another thread might close it. A write goes
 * on until all is written, as Linux's does for what blocks. A read goes on when the file says that
 * it stopped for one of its pages, or of the program's; such a page comes soon, so only the end of
 * the program ends that wait, as on Linux.
 *
 * What is long is carried out in pieces, between which the thread lets grace periods pass: else the
 * whole machine would keep what it wants to free for as long as a program cares to copy.
 */
#include "files.h"

#include "../signal/signals.h"
#include "runtime.h"

/* A piece is more than what pipes, terminals and their like can have at once. */
enum { MOST_VECTORS = 1024, FEW_VECTORS = 8, MOST_BYTES = 0x7ffff000, PIECE = 2 << 20 };

/* ---- one transfer ---- */

static inline k42_result attempt(struct files_transfer *transfer) {
    k42_result limited = transfer->write ? files_limit_write(transfer) : 0;
    if (__builtin_expect(limited < 0, 0))
        return limited;
    transfer->copy.unfinished = false;
    return transfer->write ? k42_call(transfer->file, write, transfer->offset, &transfer->copy)
                           : k42_call(transfer->file, read, transfer->offset, &transfer->copy);
}

/* A file that must not block says so itself, unless it is ready and waits for something else. */
static k42_result unless_blocking(struct files_transfer *transfer, k42_result result) {
    if (result != -K42_WAIT || !(transfer->flags & OPEN_NON_BLOCKING))
        return result;
    unsigned wanted = transfer->write ? FILE_WRITABLE | FILE_ERROR : FILE_READABLE | FILE_HANG_UP;
    k42_result ready = k42_call(transfer->file, poll, NULL);
    return ready < 0 ? ready : (unsigned)ready & wanted ? -K42_WAIT : -EAGAIN;
}

static unsigned kind_of_wait(const struct files_transfer *transfer) {
    return transfer->copy.unfinished ? WAIT_KILLABLE : 0;
}

/* After an attempt that says to wait. A table of descriptors that is this thread's alone keeps the
 * file: nobody closes it while the thread sleeps. */
static k42_result wait_for(struct files_transfer *transfer, k42_result result) {
    k42_result flags = k42_call(transfer->file, flags);
    transfer->flags = flags < 0 ? 0 : (unsigned)flags;
    bool is_kept = k42_call(task_self()->descriptors, holders) == 1;
    k42_result held = is_kept ? 0 : k42_call(transfer->file, hold);
    if (held < 0)
        return held;
    result = unless_blocking(transfer, result);
    WAIT_CALL_ON(result, WAIT_FOREVER, kind_of_wait(transfer),
                 unless_blocking(transfer, attempt(transfer)));
    if (!is_kept)
        (void)!k42_call(transfer->file, release);
    return result;
}

uint32_t node_lost_by_writing(uint32_t mode, uint32_t gid) {
    struct task *task = task_self();
    return !task || task_capable(task, CAPABILITY_KEEP_SET_ID) ? 0 : files_lost_set_id(mode, gid);
}

/* What becomes of an attempt: as much as one gives. */
static k42_result settle(struct files_transfer *transfer, k42_result result) {
    if (__builtin_expect(result <= -K42_WAIT && result != -K42_STALE, 0))
        result = wait_for(transfer, result);
    if (result > 0 && transfer->offset >= 0)
        transfer->offset += result;
    return result;
}

/* From the first attempt's result on; `rest` was cut off for it. */
static k42_result transfer_on(struct files_transfer *transfer, k42_result result, size_t rest,
                              bool is_long) {
    struct copy *copy = &transfer->copy;
    k42_result done = 0;
    for (;;) {
        result = settle(transfer, result);
        bool goes_on = transfer->write || copy->unfinished || (rest && !copy->left);
        copy_uncut(copy, transfer->limited ? 0 : rest);
        done += result > 0 ? result : 0;
        if (is_long)
            k42_safe_point();
        if (result <= 0 || !goes_on || !copy->left)
            break;
        rest = copy_cut(copy, PIECE);
        result = attempt(transfer);
    }
    if (result == -EPIPE && transfer->write)
        files_tell_self(SIGPIPE);
    return done ? done : linux_result(result, -EBADF);
}

static __attribute__((noinline)) k42_result transfer_long(struct files_transfer *transfer) {
    if (k42_call(transfer->file, hold) < 0)
        return -EBADF;
    size_t rest = copy_cut(&transfer->copy, PIECE);
    k42_result result = transfer_on(transfer, attempt(transfer), rest, true);
    (void)!k42_call(transfer->file, release);
    return result;
}

/* Nearly every transfer is over with its first attempt. Inlined where `write` is known. */
static inline __attribute__((always_inline)) k42_result
transfer_now(struct files_transfer *transfer) {
    struct copy *copy = &transfer->copy;
    if (__builtin_expect(copy->left > PIECE, 0))
        return transfer_long(transfer);
    k42_result result = attempt(transfer);
    bool over = result >= 0 && (transfer->write ? !copy->left : !copy->unfinished);
    return __builtin_expect(over, 1) ? result : transfer_on(transfer, result, 0, false);
}

k42_result files_transfer(struct files_transfer *transfer) {
    return transfer_now(transfer);
}

/* ---- calls ---- */

static inline __attribute__((always_inline)) k42_result
transfer_user(int fd, uintptr_t buffer, size_t count, int64_t offset, bool write) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    count = count < MOST_BYTES ? count : MOST_BYTES;
    struct files_transfer transfer = {.file = file, .offset = offset, .write = write};
    transfer.copy = copy_of_user(buffer, count);
    return transfer_now(&transfer);
}

LINUX_CALL(0, read, int fd, uintptr_t buffer, size_t count) {
    return transfer_user(fd, buffer, count, FILE_CURRENT, false);
}

LINUX_CALL(1, write, int fd, uintptr_t buffer, size_t count) {
    return transfer_user(fd, buffer, count, FILE_CURRENT, true);
}

LINUX_CALL(17, pread64, int fd, uintptr_t buffer, size_t count, int64_t offset) {
    return offset < 0 ? -EINVAL : transfer_user(fd, buffer, count, offset, false);
}

LINUX_CALL(18, pwrite64, int fd, uintptr_t buffer, size_t count, int64_t offset) {
    return offset < 0 ? -EINVAL : transfer_user(fd, buffer, count, offset, true);
}

/* ---- vectors ---- */

struct vectors {
    struct copy_range few[FEW_VECTORS], *at;
    size_t total;
};

static k42_result vectors_get(struct vectors *vectors, uintptr_t from, size_t count) {
    if (count > MOST_VECTORS)
        return -EINVAL;
    vectors->at = vectors->few;
    vectors->total = 0;
    if (count > FEW_VECTORS)
        vectors->at = k42_platform_alloc(count * sizeof *vectors->at);
    if (!vectors->at)
        return -ENOMEM;
    /* A range is laid out as struct iovec is. */
    k42_result result = count ? files_copy_in(vectors->at, from, count * sizeof *vectors->at) : 0;
    for (size_t n = 0; n < count && result == 0; n++) {
        if ((int64_t)vectors->at[n].length < 0)
            result = -EINVAL;
        size_t left = MOST_BYTES - vectors->total;
        vectors->at[n].length = vectors->at[n].length < left ? vectors->at[n].length : left;
        vectors->total += vectors->at[n].length;
    }
    if (result < 0 && vectors->at != vectors->few)
        k42_platform_free(vectors->at);
    return result;
}

static k42_result transfer_vectors(int fd, uintptr_t from, size_t count, int64_t offset,
                                   bool write) {
    struct files_transfer transfer = {.offset = offset, .write = write};
    struct vectors vectors;
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = vectors_get(&vectors, from, count);
    if (result < 0)
        return result;
    result = files_get(fd, &transfer.file); /* copying may have waited */
    if (result >= 0) {
        transfer.copy = copy_of_ranges(vectors.at, vectors.total, true);
        result = files_transfer(&transfer);
    }
    if (vectors.at != vectors.few)
        k42_platform_free(vectors.at);
    return result;
}

LINUX_CALL(19, readv, int fd, uintptr_t vectors, size_t count) {
    return transfer_vectors(fd, vectors, count, FILE_CURRENT, false);
}

LINUX_CALL(20, writev, int fd, uintptr_t vectors, size_t count) {
    return transfer_vectors(fd, vectors, count, FILE_CURRENT, true);
}

LINUX_CALL(295, preadv, int fd, uintptr_t vectors, size_t count, int64_t offset) {
    return offset < 0 ? -EINVAL : transfer_vectors(fd, vectors, count, offset, false);
}

LINUX_CALL(296, pwritev, int fd, uintptr_t vectors, size_t count, int64_t offset) {
    return offset < 0 ? -EINVAL : transfer_vectors(fd, vectors, count, offset, true);
}

/* Of the flags of preadv2 those that ask for no more than is done anyway. */
enum { HIGH_PRIORITY = 1, DATA_SYNC = 2, SYNC = 4 };

static k42_result transfer_flagged(int fd, uintptr_t vectors, size_t count, int64_t offset,
                                   int flags, bool write) {
    if (flags & ~(HIGH_PRIORITY | DATA_SYNC | SYNC))
        return -EOPNOTSUPP;
    if (offset < -1)
        return -EINVAL;
    return transfer_vectors(fd, vectors, count, offset, write);
}

LINUX_CALL(327, preadv2, int fd, uintptr_t vectors, size_t count, int64_t offset, int64_t high,
           int flags) {
    (void)high;
    return transfer_flagged(fd, vectors, count, offset, flags, false);
}

LINUX_CALL(328, pwritev2, int fd, uintptr_t vectors, size_t count, int64_t offset, int64_t high,
           int flags) {
    (void)high;
    return transfer_flagged(fd, vectors, count, offset, flags, true);
}

LINUX_CALL(8, lseek, int fd, int64_t offset, int whence) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0 && (unsigned)whence > SEEK_TO_HOLE)
        return k42_call(file, flags) & OPEN_PATH ? -EBADF : -EINVAL;
    if (result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(file, seek, offset, whence));
    return linux_result(result, -EBADF);
}
