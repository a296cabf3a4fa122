/*
 * The operations of rings: one line each.
 *
 * What is a system call is made as one, by whoever may sleep; see made_calls.c. The others have
 * files of their own. The table is constant.
 */
#include "request.h"

static k42_result nothing(struct request *request, bool may_sleep) {
    (void)request, (void)may_sleep;
    return 0;
}

#define NONE NULL
#define CALL call_prepare, call_attempt

enum { FILE = true, NO_FILE = false, SLEEPS = true, AT_ONCE = false };

static const struct operation operations[] = {
    [IORING_OP_NOP] = {NO_FILE, AT_ONCE, NONE, nothing},
    [IORING_OP_READV] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_WRITEV] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_FSYNC] = {FILE, SLEEPS, CALL},
    [IORING_OP_READ_FIXED] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_WRITE_FIXED] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_POLL_ADD] = {FILE, AT_ONCE, poll_prepare, poll_attempt},
    [IORING_OP_POLL_REMOVE] = {NO_FILE, AT_ONCE, remove_prepare, poll_remove},
    [IORING_OP_SYNC_FILE_RANGE] = {FILE, SLEEPS, CALL},
    [IORING_OP_SENDMSG] = {FILE, AT_ONCE, CALL},
    [IORING_OP_RECVMSG] = {FILE, AT_ONCE, CALL},
    [IORING_OP_TIMEOUT] = {NO_FILE, AT_ONCE, timeout_prepare, timeout_attempt},
    [IORING_OP_TIMEOUT_REMOVE] = {NO_FILE, AT_ONCE, remove_prepare, timeout_remove},
    [IORING_OP_ACCEPT] = {FILE, AT_ONCE, CALL},
    [IORING_OP_ASYNC_CANCEL] = {NO_FILE, AT_ONCE, remove_prepare, cancel_attempt},
    [IORING_OP_LINK_TIMEOUT] = {NO_FILE, AT_ONCE, timeout_prepare, limit_attempt},
    [IORING_OP_CONNECT] = {FILE, SLEEPS, CALL},
    [IORING_OP_FALLOCATE] = {FILE, SLEEPS, CALL},
    [IORING_OP_OPENAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_CLOSE] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_STATX] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_READ] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_WRITE] = {FILE, AT_ONCE, transfer_prepare, transfer_attempt},
    [IORING_OP_FADVISE] = {FILE, SLEEPS, CALL},
    [IORING_OP_MADVISE] = {NO_FILE, SLEEPS, CALL},
    [IORING_OP_SEND] = {FILE, AT_ONCE, CALL},
    [IORING_OP_RECV] = {FILE, AT_ONCE, CALL},
    [IORING_OP_OPENAT2] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_EPOLL_CTL] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_SHUTDOWN] = {FILE, SLEEPS, CALL},
    [IORING_OP_RENAMEAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_UNLINKAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_MKDIRAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_SYMLINKAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_LINKAT] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_SETXATTR] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_GETXATTR] = {NO_FILE, AT_ONCE, CALL},
    [IORING_OP_FSETXATTR] = {FILE, AT_ONCE, CALL},
    [IORING_OP_FGETXATTR] = {FILE, AT_ONCE, CALL},
    [IORING_OP_SOCKET] = {NO_FILE, SLEEPS, CALL},
};

const struct operation *operation_find(uint8_t number) {
    bool is = number < sizeof operations / sizeof *operations && operations[number].attempt;
    return is ? &operations[number] : NULL;
}
