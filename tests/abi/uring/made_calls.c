/* io_uring: requests that are calls: files by name, sockets. */
#include "uring.h"

#include <linux/stat.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

static char text[64];

/* What is given as data, and said without the number of a descriptor. */
static int result_of(struct uring *ring) {
    uring_enter(ring, 1);
    int result = ring->cqes[*ring->cq_head & (ring->params.cq_entries - 1)].res;
    __atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
    return result;
}

static void names(void) {
    struct uring ring = uring_make(8, 0, 0);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "made", 0600, 1)->open_flags = O_CREAT | O_RDWR;
    int fd = result_of(&ring);
    is("opened", fd > 2, 1);
    is("written", write(fd, "12345", 5), 5);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "none", 0, 2);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, BAD, 0, 3);
    uring_do(&ring);
    static struct statx status;
    struct io_uring_sqe *entry = uring_put(&ring, IORING_OP_STATX, AT_FDCWD, "made", STATX_SIZE, 4);
    entry->off = (uintptr_t)&status;
    uring_do(&ring);
    is("size", (long)status.stx_size, 5);
    uring_put(&ring, IORING_OP_MKDIRAT, AT_FDCWD, "folder", 0700, 5);
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_RENAMEAT, AT_FDCWD, "made", (unsigned)AT_FDCWD, 6);
    entry->off = (uintptr_t) "folder/moved";
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_LINKAT, AT_FDCWD, "folder/moved", (unsigned)AT_FDCWD, 7);
    entry->off = (uintptr_t) "link";
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_SYMLINKAT, AT_FDCWD, "link", 0, 8);
    entry->off = (uintptr_t) "symbolic";
    uring_do(&ring);
    is("followed", (long)strlen(get("symbolic")), 5);
    uring_put(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "symbolic", 0, 9);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_UNLINKAT, AT_FDCWD, "folder", 0, 10);
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_FALLOCATE, fd, (void *)4096, 0, 11);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_FADVISE, fd, NULL, 0, 12);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_MADVISE, -1, pages(1), 4096, 13)->fadvise_advice = MADV_DONTNEED;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_SYNC_FILE_RANGE, fd, NULL, 0, 14);
    uring_do(&ring);
    mkfifo("fifo", 0600);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "fifo", 0, 18)->open_flags = O_RDONLY;
    fd = result_of(&ring);
    is("a FIFO is open at once", fd > 2, 1);
    is("and blocks", fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "fifo", 0, 19)->open_flags = O_WRONLY;
    close(fd);
    uring_do(&ring);
    fd = open("folder/moved", O_RDWR);
    int set = epoll_create1(0), ends[2];
    pipe(ends);
    struct epoll_event event = {.events = EPOLLIN};
    entry = uring_put(&ring, IORING_OP_EPOLL_CTL, set, &event, EPOLL_CTL_ADD, 15);
    entry->off = (uint64_t)ends[0];
    uring_do(&ring);
    uring_put(&ring, IORING_OP_CLOSE, fd, NULL, 0, 16);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_CLOSE, fd, NULL, 0, 17);
    uring_do(&ring);
}

static void sockets(void) {
    struct uring ring = uring_make(8, 0, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    uring_put(&ring, IORING_OP_SOCKET, AF_UNIX, NULL, 0, 1)->off = SOCK_STREAM;
    int listening = result_of(&ring), caller = socket(AF_UNIX, SOCK_STREAM, 0);
    is("made", listening > 2, 1);
    bind(listening, (struct sockaddr *)&name, sizeof name);
    listen(listening, 4);
    uring_put(&ring, IORING_OP_ACCEPT, listening, NULL, 0, 2);
    uring_enter(&ring, 0);
    is("nobody yet", uring_count(&ring), 0);
    connect(caller, (struct sockaddr *)&name, sizeof name);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    int accepted = ring.cqes[*ring.cq_head & (ring.params.cq_entries - 1)].res;
    is("accepted", accepted > 2, 1);
    ++*ring.cq_head;
    int second = socket(AF_UNIX, SOCK_STREAM, 0);
    uring_put(&ring, IORING_OP_CONNECT, second, &name, 0, 3)->off = sizeof name;
    uring_do(&ring);
    struct iovec in = {text, sizeof text}, out = {"message", 7};
    struct msghdr received = {.msg_iov = &in, .msg_iovlen = 1};
    struct msghdr sent = {.msg_iov = &out, .msg_iovlen = 1};
    uring_put(&ring, IORING_OP_RECVMSG, accepted, &received, 1, 4);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_SENDMSG, caller, &sent, 1, 5);
    uring_enter(&ring, 2);
    uring_say(&ring);
    say("%.7s", text);
    uring_put(&ring, IORING_OP_RECV, accepted, text, 8, 6)->msg_flags = MSG_DONTWAIT;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_RECV, accepted, text, 8, 7);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_SHUTDOWN, caller, NULL, SHUT_WR, 8);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_RECV, 0, text, 8, 9);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_CONNECT, second, &name, 0, 10)->off = sizeof name;
    uring_do(&ring);
}

static void extended(void) {
    struct uring ring = uring_make(8, 0, 0);
    put("marked", "x");
    int fd = open("marked", O_RDWR);
    struct io_uring_sqe *entry = uring_put(&ring, IORING_OP_SETXATTR, 0, "trusted.a", 5, 1);
    entry->off = (uintptr_t) "value";
    entry->addr3 = (uintptr_t) "marked";
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_FGETXATTR, fd, "trusted.a", sizeof text, 2);
    entry->off = (uintptr_t)text;
    uring_do(&ring);
    say("%.5s", text);
    entry = uring_put(&ring, IORING_OP_FSETXATTR, fd, "trusted.a", 3, 3);
    entry->off = (uintptr_t) "new";
    entry->xattr_flags = 1; /* XATTR_CREATE */
    uring_do(&ring);
    entry = uring_put(&ring, IORING_OP_GETXATTR, 0, "trusted.b", sizeof text, 4);
    entry->off = (uintptr_t)text;
    entry->addr3 = (uintptr_t) "marked";
    uring_do(&ring);
}

/* Of whose rights: those of who submits, at that time. */
static void rights(void) {
    struct uring ring = uring_make(8, 0, 0);
    put("secret", "x");
    chmod("secret", 0600);
    with_rights_of(SOMEBODY);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "secret", 0, 1);
    uring_do(&ring);
    with_rights_of(0);
    uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, "secret", 0, 2);
    is("opened", result_of(&ring) > 2, 1);
}

static void known(void) {
    struct uring ring = uring_make(8, 0, 0);
    static struct {
        struct io_uring_probe head;
        struct io_uring_probe_op ops[64];
    } probe;
    gives(0, io_uring_register, ring.fd, IORING_REGISTER_PROBE, &probe, 64);
    is("reads", probe.ops[IORING_OP_READ].flags, IO_URING_OP_SUPPORTED);
    is("sends", probe.ops[IORING_OP_SEND].flags, IO_URING_OP_SUPPORTED);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_PROBE, &probe, 64);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_PROBE, &probe, 257);
}

int main(void) {
    names();
    sockets();
    extended();
    rights();
    known();
}
