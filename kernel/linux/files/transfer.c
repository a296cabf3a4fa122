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

#include "../../arch/x86_64/user_copy.h"
#include "../clocks.h"
#include "../signal/signals.h"
#include "runtime.h"

/* A piece is more than what pipes, terminals and their like can have at once. */
enum { MOST_BYTES = FILES_BYTES_MOST, PIECE = 2 << 20 };

/* ---- what was transferred ---- */

/* Without a lock, but whole for others, who read it at any time. */
static inline void add(uint64_t *counter, uint64_t more) {
    __asm__ volatile("addq %1, %0" : "+m"(*counter) : "er"(more) : "cc");
}

/* One call's bytes, in the record of the task that made it: nobody waits for the line it is in. */
static inline void count(struct task *task, uint64_t bytes, bool write) {
    struct process_transfers *transfers = &task->transfers;
    add(write ? &transfers->bytes_written : &transfers->bytes_read, bytes);
    add(write ? &transfers->writes : &transfers->reads, 1);
}

/* A call that may have failed, of a task or NULL; what was not opened for it has not been tried. */
static __attribute__((noinline)) k42_result counted(struct task *task, k42_result result,
                                                    bool write) {
    if (task && result != -EBADF)
        count(task, result > 0 ? (uint64_t)result : 0, write);
    return result;
}

k42_result files_count_both(k42_result result) {
    count(task_self(), result > 0 ? (uint64_t)result : 0, false);
    count(task_self(), result > 0 ? (uint64_t)result : 0, true);
    return result;
}

/* ---- one transfer ---- */

/* `write` is the transfer's, which some callers know beforehand. */
static inline k42_result attempt_as(struct files_transfer *transfer, bool write) {
    k42_result limited = write ? files_limit_write(transfer) : 0;
    if (__builtin_expect(limited < 0, 0))
        return limited;
    transfer->copy.unfinished = false;
    return write ? k42_call(transfer->file, write, transfer->offset, &transfer->copy)
                 : k42_call(transfer->file, read, transfer->offset, &transfer->copy);
}

static k42_result attempt(struct files_transfer *transfer) {
    return attempt_as(transfer, transfer->write);
}

/* A file that must not block says so itself, unless it is ready and waits for something else. */
static k42_result unless_blocking(struct files_transfer *transfer, k42_result result) {
    if (result != -K42_WAIT || !(transfer->flags & OPEN_NON_BLOCKING))
        return result;
    unsigned wanted = transfer->write ? FILE_WRITABLE | FILE_ERROR : FILE_READABLE | FILE_HANG_UP;
    k42_result ready = k42_call(transfer->file, poll, NULL);
    return ready < 0 ? ready : (unsigned)ready & wanted ? -K42_WAIT : -EAGAIN;
}

/* Somebody may watch the file: told of each piece, while it is certain that the file is there. */
static __attribute__((noinline)) void tell_now(const struct files_transfer *transfer,
                                               k42_result result) {
    if (result > 0)
        notify_file(transfer->file, transfer->write ? NOTIFY_WRITTEN : NOTIFY_READ);
}

static inline void tell(const struct files_transfer *transfer, k42_result result) {
    if (notify_any())
        tell_now(transfer, result);
}

static unsigned kind_of_wait(const struct files_transfer *transfer) {
    return transfer->copy.unfinished ? WAIT_KILLABLE : 0;
}

/* A socket may have been told how long that is. */
static uint64_t deadline_of(const struct files_transfer *transfer) {
    k42_result ns = k42_call(transfer->file, control, FILE_TIME, transfer->write);
    return ns > 0 ? clocks_after(ns) : WAIT_FOREVER;
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
    if (result <= -K42_WAIT)
        WAIT_CALL_ON(result, deadline_of(transfer), kind_of_wait(transfer),
                     unless_blocking(transfer, attempt(transfer)));
    tell(transfer, result);
    if (!is_kept)
        (void)!k42_call(transfer->file, release);
    return result == -ETIMEDOUT ? -EAGAIN : result;
}

uint32_t node_lost_by_writing(uint32_t mode, uint32_t gid) {
    struct task *task = task_self();
    return !task || task_capable(task, CAPABILITY_KEEP_SET_ID) ? 0 : files_lost_set_id(mode, gid);
}

/* What becomes of an attempt: as much as one gives. */
static k42_result settle(struct files_transfer *transfer, k42_result result) {
    if (__builtin_expect(result <= -K42_WAIT && result != -K42_STALE, 0))
        result = wait_for(transfer, result);
    else
        tell(transfer, result);
    if (result > 0 && transfer->offset >= 0)
        transfer->offset += result;
    return result;
}

/* From the first attempt's result on; `rest` was cut off for it. What had more when a page stopped
 * it may have been read empty by another meanwhile: then what there is is enough. */
static k42_result transfer_on(struct files_transfer *transfer, k42_result result, size_t rest,
                              bool is_long) {
    struct copy *copy = &transfer->copy;
    k42_result done = 0;
    for (;;) {
        result = settle(transfer, result);
        bool stopped = !transfer->write && copy->unfinished;
        bool goes_on = transfer->write || stopped || (rest && !copy->left);
        copy_uncut(copy, transfer->limited ? 0 : rest);
        done += result > 0 ? result : 0;
        if (is_long)
            k42_safe_point();
        if (result <= 0 || !goes_on || !copy->left)
            break;
        rest = copy_cut(copy, PIECE);
        result = attempt(transfer);
        if (stopped && result == -K42_WAIT && !copy->unfinished)
            break;
    }
    if (result == -EPIPE && transfer->write &&
        k42_call(transfer->file, control, FILE_NO_SIGNAL, 0) <= 0)
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

/* Nearly every transfer is over with its first attempt. Inlined where `write`, which is the
 * transfer's, is known, and for whom it is counted, if at all. */
static inline __attribute__((always_inline)) k42_result
transfer_now(struct files_transfer *transfer, bool write, struct task *task) {
    struct copy *copy = &transfer->copy;
    if (__builtin_expect(copy->left > PIECE, 0))
        return counted(task, transfer_long(transfer), write);
    k42_result result = attempt_as(transfer, write);
    bool over = result >= 0 && (write ? !copy->left : !copy->unfinished);
    if (__builtin_expect(!over, 0))
        return counted(task, transfer_on(transfer, result, 0, false), write);
    if (task)
        count(task, (uint64_t)result, write);
    tell(transfer, result);
    return result;
}

k42_result files_transfer(struct files_transfer *transfer) {
    return transfer_now(transfer, transfer->write, NULL);
}

k42_result files_transfer_once(struct files_transfer *transfer) {
    k42_result result = attempt(transfer);
    tell(transfer, result);
    if (result > 0 && transfer->offset >= 0)
        transfer->offset += result;
    return result;
}

/* ---- calls ---- */

static inline __attribute__((always_inline)) k42_result
transfer_user(int fd, uintptr_t buffer, size_t size, int64_t offset, bool write) {
    struct task *task = task_self();
    struct k42_pair file = k42_call(task->descriptors, get, fd);
    if (file.result < 0)
        return file.result;
    struct files_transfer transfer = {
        .file = (file_ref)file.word, .offset = offset, .write = write};
    if (__builtin_expect(!user_range_ok(buffer, size), 0)) {
        /* of nothing: what the file says comes first */
        k42_result result = transfer_now(&transfer, write, NULL);
        return result < 0 ? result : -EFAULT;
    }
    transfer.copy = copy_of_user(buffer, size < MOST_BYTES ? size : MOST_BYTES);
    return transfer_now(&transfer, write, task);
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

/* So many bytes at most. */
static k42_result transfer_some(int fd, uintptr_t from, size_t count, int64_t offset, size_t most,
                                bool write) {
    struct files_transfer transfer = {.offset = offset, .write = write};
    struct files_vectors vectors;
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = files_vectors_get(&vectors, from, (unsigned)count);
    if (result < 0)
        return result;
    result = files_get(fd, &transfer.file); /* copying may have waited */
    if (result >= 0) {
        most = vectors.total < most ? vectors.total : most;
        transfer.copy = copy_of_ranges(vectors.at, most, true);
        result = files_transfer(&transfer);
    }
    if (!vectors.total && result == -EISDIR)
        result = 0; /* nothing can be read even of what cannot be read */
    files_vectors_end(&vectors);
    return result;
}

static k42_result transfer_vectors(int fd, uintptr_t from, size_t count, int64_t offset,
                                   bool write) {
    k42_result result = transfer_some(fd, from, count, offset, MOST_BYTES, write);
    return counted(task_self(), result, write);
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

/* Of the flags of preadv2 the first three ask for no more than is done anyway. */
enum { HIGH_PRIORITY = 1, DATA_SYNC = 2, SYNC = 4, APPEND = 16 };

/* Whether it has an end to append to; what else there is takes bytes as they come. */
static bool has_end(int fd) {
    struct node_attributes attributes;
    file_ref file;
    k42_result result = files_get(fd, &file);
    struct k42_pair node = {.result = result};
    if (result >= 0)
        node = k42_call(file, node);
    if (node.result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call((node_ref)node.word, attributes, &attributes));
    return node.result >= 0 && result >= 0 && (attributes.mode & MODE_TYPE) == MODE_REGULAR;
}

static k42_result transfer_flagged(int fd, uintptr_t vectors, size_t count, int64_t offset,
                                   int flags, bool write) {
    if (flags & ~(HIGH_PRIORITY | DATA_SYNC | SYNC | (write ? APPEND : 0)))
        return -EOPNOTSUPP;
    if (offset < -1)
        return -EINVAL;
    if ((flags & APPEND) && has_end(fd))
        offset = offset == FILE_CURRENT ? FILE_TO_END : FILE_AT_END;
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

/*
 * Bytes of a program into a pipe, or out of one into a program. They are copied, so what was given
 * away may be changed; nothing can tell, but for the time it takes.
 */
static k42_result refuse_vectors(uintptr_t from, size_t count, k42_result error) {
    struct files_vectors vectors;
    k42_result result = files_vectors_get(&vectors, from, (unsigned)count);
    if (result < 0)
        return result;
    result = vectors.total ? error : 0;
    files_vectors_end(&vectors);
    return result;
}

LINUX_CALL(278, vmsplice, int fd, uintptr_t vectors, size_t count, unsigned how) {
    enum { NON_BLOCKING = 2, KNOWN = 15 };
    file_ref file;
    if (how & ~(unsigned)KNOWN)
        return -EINVAL;
    k42_result result = files_get(fd, &file), flags = 0;
    if (result >= 0)
        flags = k42_call(file, flags);
    if (result < 0 || flags < 0 || (flags & OPEN_PATH))
        return -EBADF;
    if (k42_call(file, control, FILE_PIPE_SIZE, 0) < 0)
        return refuse_vectors(vectors, count, -EBADF);
    bool write = open_writes((unsigned)flags);
    unsigned ready = (unsigned)k42_call(file, poll, NULL);
    if ((how & NON_BLOCKING) &&
        !(ready & ((write ? FILE_WRITABLE : FILE_READABLE) | FILE_ERROR | FILE_HANG_UP)))
        return -EAGAIN;
    /* What has no room would be waited for. */
    k42_result room =
        write && (how & NON_BLOCKING) ? k42_call(file, control, FILE_PIPE_ROOM, 0) : 0;
    return transfer_some(fd, vectors, count, FILE_CURRENT, room > 0 ? (size_t)room : MOST_BYTES,
                         write);
}

k42_result files_seek(file_ref file, int64_t offset, int whence) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(file, seek, offset, whence));
    return result;
}

LINUX_CALL(8, lseek, int fd, int64_t offset, int whence) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0 && (unsigned)whence > SEEK_TO_HOLE)
        return k42_call(file, flags) & OPEN_PATH ? -EBADF : -EINVAL;
    if (result >= 0)
        result = files_seek(file, offset, whence);
    return linux_result(result, -EBADF);
}
