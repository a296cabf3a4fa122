/*
 * Requests that are system calls: made as a program makes them, by the call's own function.
 *
 * A worker is a task with the program's memory, files and directories, so a call finds everything
 * it looks for. What sends and receives must not sleep, says so by a flag, and is waited for by its
 * file's readiness instead. What is given names is done by who submits it, since the program may
 * use their memory again when it goes on; all else sleeps in a worker. With a registered file the
 * worker's descriptors are, for as long as the call lasts, those that were registered.
 */
#include "request.h"

#include "../call.h"
#include "../readiness.h"

#include <k42/k42.h>

enum {
    CALL_CLOSE = 3,
    CALL_MADVISE = 28,
    CALL_SOCKET = 41,
    CALL_CONNECT = 42,
    CALL_SENDTO = 44,
    CALL_RECVFROM = 45,
    CALL_SENDMSG = 46,
    CALL_RECVMSG = 47,
    CALL_SHUTDOWN = 48,
    CALL_FSYNC = 74,
    CALL_FDATASYNC = 75,
    CALL_SETXATTR = 188,
    CALL_FSETXATTR = 190,
    CALL_GETXATTR = 191,
    CALL_FGETXATTR = 193,
    CALL_FADVISE = 221,
    CALL_EPOLL_CTL = 233,
    CALL_OPENAT = 257,
    CALL_MKDIRAT = 258,
    CALL_UNLINKAT = 263,
    CALL_LINKAT = 265,
    CALL_SYMLINKAT = 266,
    CALL_SYNC_RANGE = 277,
    CALL_FALLOCATE = 285,
    CALL_ACCEPT = 288,
    CALL_RENAMEAT = 316,
    CALL_STATX = 332,
    CALL_OPENAT2 = 437,
};

static void set_call(struct request *request, unsigned number, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d, uint64_t e) {
    request->call.number = number;
    request->call.arguments[0] = (uint32_t)request->entry.fd;
    request->call.arguments[1] = a;
    request->call.arguments[2] = b;
    request->call.arguments[3] = c;
    request->call.arguments[4] = d;
    request->call.arguments[5] = e;
}

/* Of sockets; they do not sleep. */
static k42_result prepare_talk(struct request *request) {
    const struct io_uring_sqe *e = &request->entry;
    uint64_t flags = e->msg_flags | SOCKET_DONT_WAIT;
    request->call.must_not = e->msg_flags & SOCKET_DONT_WAIT;
    if (e->ioprio || e->splice_fd_in)
        return -EINVAL;
    switch (e->opcode) {
    case IORING_OP_SENDMSG:
        set_call(request, CALL_SENDMSG, e->addr, flags, 0, 0, 0);
        break;
    case IORING_OP_SEND:
        set_call(request, CALL_SENDTO, e->addr, e->len, flags, 0, 0);
        break;
    case IORING_OP_RECVMSG:
        set_call(request, CALL_RECVMSG, e->addr, flags, 0, 0, 0);
        break;
    default:
        set_call(request, CALL_RECVFROM, e->addr, e->len, flags, 0, 0);
        break;
    }
    bool sends = e->opcode == IORING_OP_SENDMSG || e->opcode == IORING_OP_SEND;
    request->call.waits = sends ? POLLOUT : POLLIN;
    return 0;
}

static k42_result prepare_accept(struct request *request) {
    const struct io_uring_sqe *e = &request->entry;
    if (e->len || e->buf_index || e->ioprio || e->splice_fd_in)
        return -EINVAL;
    set_call(request, CALL_ACCEPT, e->addr, e->addr2, e->accept_flags, 0, 0);
    request->call.waits = POLLIN;
    return 0;
}

/* Of names. They are looked at when the call is made, which is at once; where it is not, in chains
 * and with IOSQE_ASYNC, the program keeps them until then. */
static k42_result prepare_names(struct request *request) {
    const struct io_uring_sqe *e = &request->entry;
    if (e->buf_index || (e->flags & IOSQE_FIXED_FILE))
        return e->flags & IOSQE_FIXED_FILE ? -EBADF : -EINVAL;
    switch (e->opcode) {
    case IORING_OP_OPENAT:
        set_call(request, CALL_OPENAT, e->addr, e->open_flags, e->len, 0, 0);
        return e->file_index ? -EINVAL : 0;
    case IORING_OP_OPENAT2:
        set_call(request, CALL_OPENAT2, e->addr, e->addr2, e->len, 0, 0);
        return e->file_index ? -EINVAL : 0;
    case IORING_OP_STATX:
        set_call(request, CALL_STATX, e->addr, e->statx_flags, e->len, e->addr2, 0);
        return e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_RENAMEAT:
        set_call(request, CALL_RENAMEAT, e->addr, e->len, e->addr2, e->rename_flags, 0);
        return e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_LINKAT:
        set_call(request, CALL_LINKAT, e->addr, e->len, e->addr2, e->hardlink_flags, 0);
        return e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_UNLINKAT:
        set_call(request, CALL_UNLINKAT, e->addr, e->unlink_flags, 0, 0, 0);
        return e->off || e->len || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_MKDIRAT:
        set_call(request, CALL_MKDIRAT, e->addr, e->len, 0, 0, 0);
        return e->off || e->rw_flags || e->splice_fd_in ? -EINVAL : 0;
    default:
        set_call(request, CALL_SYMLINKAT, 0, 0, 0, 0, 0);
        request->call.arguments[0] = e->addr;
        request->call.arguments[1] = (uint32_t)e->fd;
        request->call.arguments[2] = e->addr2;
        return e->len || e->rw_flags || e->splice_fd_in ? -EINVAL : 0;
    }
}

/* Extended attributes, of a path or of a file. */
static k42_result prepare_extended(struct request *request) {
    const struct io_uring_sqe *e = &request->entry;
    bool sets = e->opcode == IORING_OP_SETXATTR || e->opcode == IORING_OP_FSETXATTR;
    bool of_path = e->opcode == IORING_OP_SETXATTR || e->opcode == IORING_OP_GETXATTR;
    unsigned number = sets ? CALL_FSETXATTR : CALL_FGETXATTR;
    if (of_path)
        number = sets ? CALL_SETXATTR : CALL_GETXATTR;
    set_call(request, number, e->addr, e->addr2, e->len, e->xattr_flags, 0);
    if (of_path)
        request->call.arguments[0] = e->addr3;
    if (of_path && (e->flags & IOSQE_FIXED_FILE))
        return -EBADF;
    return !sets && e->xattr_flags ? -EINVAL : 0;
}

/* Of a file that is open, or of none. */
static k42_result prepare_others(struct request *request) {
    const struct io_uring_sqe *e = &request->entry;
    switch (e->opcode) {
    case IORING_OP_FSYNC:
        set_call(request, e->fsync_flags ? CALL_FDATASYNC : CALL_FSYNC, 0, 0, 0, 0, 0);
        return e->addr || e->buf_index || e->splice_fd_in ||
                       (e->fsync_flags & ~IORING_FSYNC_DATASYNC)
                   ? -EINVAL
                   : 0;
    case IORING_OP_SYNC_FILE_RANGE:
        set_call(request, CALL_SYNC_RANGE, e->off, e->len, e->sync_range_flags, 0, 0);
        return e->addr || e->buf_index || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_FALLOCATE:
        set_call(request, CALL_FALLOCATE, e->len, e->off, e->addr, 0, 0);
        return e->buf_index || e->rw_flags || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_FADVISE:
        set_call(request, CALL_FADVISE, e->off, e->len, e->fadvise_advice, 0, 0);
        return e->addr || e->buf_index || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_CONNECT:
        set_call(request, CALL_CONNECT, 0, 0, 0, 0, 0);
        if (e->len || e->buf_index || e->rw_flags || e->splice_fd_in)
            return -EINVAL;
        return socket_address_read(&request->call.address, e->addr, (int)e->addr2);
    case IORING_OP_SHUTDOWN:
        set_call(request, CALL_SHUTDOWN, e->len, 0, 0, 0, 0);
        return e->off || e->addr || e->rw_flags || e->buf_index || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_SOCKET:
        set_call(request, CALL_SOCKET, e->off, e->len, 0, 0, 0);
        return e->addr || e->rw_flags || e->buf_index || e->file_index ? -EINVAL : 0;
    case IORING_OP_EPOLL_CTL:
        set_call(request, CALL_EPOLL_CTL, e->len, e->off, e->addr, 0, 0);
        return e->buf_index || e->splice_fd_in ? -EINVAL : 0;
    case IORING_OP_MADVISE:
        set_call(request, CALL_MADVISE, e->len, e->fadvise_advice, 0, 0, 0);
        request->call.arguments[0] = e->addr;
        return e->buf_index || e->off || e->splice_fd_in ? -EINVAL : 0;
    default: /* IORING_OP_CLOSE */
        set_call(request, CALL_CLOSE, 0, 0, 0, 0, 0);
        if (e->flags & IOSQE_FIXED_FILE)
            return -EBADF;
        return e->off || e->addr || e->len || e->rw_flags || e->buf_index || e->file_index ? -EINVAL
                                                                                           : 0;
    }
}

k42_result call_prepare(struct request *request) {
    switch (request->entry.opcode) {
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND:
    case IORING_OP_RECVMSG:
    case IORING_OP_RECV:
        return prepare_talk(request);
    case IORING_OP_ACCEPT:
        return prepare_accept(request);
    case IORING_OP_OPENAT:
    case IORING_OP_OPENAT2:
    case IORING_OP_STATX:
    case IORING_OP_RENAMEAT:
    case IORING_OP_LINKAT:
    case IORING_OP_UNLINKAT:
    case IORING_OP_MKDIRAT:
    case IORING_OP_SYMLINKAT:
        return prepare_names(request);
    case IORING_OP_SETXATTR:
    case IORING_OP_GETXATTR:
    case IORING_OP_FSETXATTR:
    case IORING_OP_FGETXATTR:
        return prepare_extended(request);
    default:
        return prepare_others(request);
    }
}

/* ---- making it ---- */

/* As Linux does it: what would wait for somebody, a FIFO, is open at once. */
static k42_result open_at_once(const uint64_t *a) {
    k42_result fd = linux_call_of(CALL_OPENAT)(a[0], a[1], a[2] | OPEN_NON_BLOCKING, a[3], 0, 0);
    file_ref file;
    if (fd < 0 || (a[2] & OPEN_NON_BLOCKING) || files_get((int)fd, &file) < 0)
        return fd == -EAGAIN ? -WORK_SLEEPS : fd;
    k42_result flags = k42_call(file, flags);
    if (flags >= 0)
        (void)!k42_call(file, set_flags, (unsigned)flags & ~(unsigned)OPEN_NON_BLOCKING);
    return fd;
}

static k42_result make(const struct request *request) {
    const uint64_t *a = request->call.arguments;
    if (request->call.number == CALL_OPENAT && !request->work.sleeps)
        return open_at_once(a);
    if (request->call.number == CALL_CONNECT)
        return socket_connect((int)a[0], &request->call.address);
    if (request->call.number == CALL_ACCEPT)
        return socket_accept((int)a[0], a[1], a[2], (unsigned)a[3], false);
    return linux_call_of((unsigned)request->call.number)(a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A file that a call accepts goes to the program's table, which cannot be both. */
static k42_result make_with_registered(const struct request *request) {
    struct task *task = task_self();
    descriptors_ref own = task->descriptors;
    if (request->call.number == CALL_ACCEPT)
        return -EBADF;
    task->descriptors = request->files;
    k42_result result = make(request);
    task->descriptors = own;
    return result;
}

k42_result call_attempt(struct request *request, bool may_sleep) {
    bool registered = (request->entry.flags & IOSQE_FIXED_FILE) && request->operation->needs_file;
    (void)may_sleep;
    if (registered && !request->work.sleeps)
        return -WORK_SLEEPS;
    k42_result result = registered ? make_with_registered(request) : make(request);
    if (result != -EAGAIN || !request->call.waits || request->call.must_not)
        return result;
    return request_wait_for_file(request, readiness_events(request->call.waits));
}
