/* io_uring: reading and writing, with what waits, registered buffers and files, chains. */
#include "uring.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

static char text[64];

static void of_files(void) {
    struct uring ring = uring_make(8, 0, 0);
    put("file", "0123456789");
    int fd = open("file", O_RDWR);
    uring_put(&ring, IORING_OP_READ, fd, text, 4, 1)->off = 2;
    uring_do(&ring);
    say("%.4s", text);
    uring_put(&ring, IORING_OP_WRITE, fd, "abc", 3, 2)->off = 1;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, fd, text, 64, 3)->off = (uint64_t)-1;
    uring_do(&ring);
    say("%.10s", text);
    uring_put(&ring, IORING_OP_READ, fd, text, 64, 4)->off = (uint64_t)-1;
    uring_do(&ring);
    struct iovec ranges[2] = {{text, 2}, {text + 8, 3}};
    uring_put(&ring, IORING_OP_READV, fd, ranges, 2, 5);
    uring_do(&ring);
    say("%.2s %.3s", text, text + 8);
    uring_put(&ring, IORING_OP_WRITEV, fd, ranges, 2, 6)->off = 8;
    uring_do(&ring);
    say("%s", get("file"));
    uring_put(&ring, IORING_OP_FSYNC, fd, NULL, 0, 7);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, fd, BAD, 4, 8);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, 77, text, 4, 9);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READV, fd, BAD, 2, 10);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, fd, text, 4, 11)->rw_flags = 1 << 20;
    uring_do(&ring);
    int only = open("file", O_RDONLY);
    uring_put(&ring, IORING_OP_WRITE, only, text, 4, 12);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_WRITE, fd, "end", 3, 13)->flags = IOSQE_ASYNC;
    uring_do(&ring);
    say("%s", get("file"));
}

static void what_waits(void) {
    struct uring ring = uring_make(8, 0, 0);
    int ends[2], other[2];
    pipe(ends);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 8, 1);
    uring_enter(&ring, 0);
    is("nothing yet", uring_count(&ring), 0);
    write(ends[1], "pipe", 4);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    say("%.4s", text);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 8, 3);
    uring_enter(&ring, 0);
    close(ends[1]);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    signal(SIGPIPE, SIG_IGN);
    pipe(ends);
    close(ends[0]);
    uring_put(&ring, IORING_OP_WRITE, ends[1], text, 8, 4);
    uring_do(&ring);
    socketpair(AF_UNIX, SOCK_STREAM, 0, other);
    uring_put(&ring, IORING_OP_RECV, other[0], text, 8, 5);
    uring_put(&ring, IORING_OP_READ, other[1], text + 8, 8, 6);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_SEND, other[1], "sent", 4, 7);
    uring_put(&ring, IORING_OP_WRITE, other[0], "back", 4, 8);
    uring_enter(&ring, 4);
    uring_say(&ring);
    say("%.4s %.4s", text, text + 8);
    uint64_t count = 0, one = 1;
    int counter = eventfd(0, 0);
    uring_put(&ring, IORING_OP_READ, counter, &count, 8, 9);
    uring_enter(&ring, 0);
    write(counter, &one, 8);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    is("counted", (long)count, 1);
}

static void registered(void) {
    struct uring ring = uring_make(8, 0, 0);
    char *memory = pages(2);
    struct iovec range = {memory, 8192};
    put("file", "0123456789");
    int fd = open("file", O_RDWR), fds[3] = {fd, -1, fd};
    gives(0, io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &range, 1);
    fails(EBUSY, io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &range, 1);
    uring_put(&ring, IORING_OP_READ_FIXED, fd, memory + 100, 10, 1);
    uring_do(&ring);
    say("%.10s", memory + 100);
    uring_put(&ring, IORING_OP_WRITE_FIXED, fd, memory + 104, 2, 2);
    uring_do(&ring);
    say("%s", get("file"));
    uring_put(&ring, IORING_OP_READ_FIXED, fd, memory + 8190, 10, 3);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ_FIXED, fd, memory, 10, 4)->buf_index = 1;
    uring_do(&ring);
    gives(0, io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, 0, 0);
    fails(ENXIO, io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, 0, 0);
    gives(0, io_uring_register, ring.fd, IORING_REGISTER_FILES, fds, 3);
    fails(EBUSY, io_uring_register, ring.fd, IORING_REGISTER_FILES, fds, 3);
    uring_put(&ring, IORING_OP_READ, 2, text, 4, 5)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, 1, text, 4, 6)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_READ, 3, text, 4, 7)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_FSYNC, 0, NULL, 0, 8)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    struct io_uring_files_update update = {.offset = 1, .fds = (uintptr_t)fds};
    gives(2, io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE, &update, 2);
    uring_put(&ring, IORING_OP_READ, 1, text, 4, 9)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE, &update, 3);
    close(fd);
    uring_put(&ring, IORING_OP_READ, 0, text, 4, 10)->flags = IOSQE_FIXED_FILE;
    uring_do(&ring);
    gives(0, io_uring_register, ring.fd, IORING_UNREGISTER_FILES, 0, 0);
    fails(ENXIO, io_uring_register, ring.fd, IORING_UNREGISTER_FILES, 0, 0);
    fails(ENXIO, io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE, &update, 1);
    fds[1] = 77;
    fails(EBADF, io_uring_register, ring.fd, IORING_REGISTER_FILES, fds, 2);
    fails(EFAULT, io_uring_register, ring.fd, IORING_REGISTER_FILES, BAD, 2);
    range.iov_base = BAD;
    fails(EFAULT, io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &range, 1);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &range, 0);
    fails(EINVAL, io_uring_register, ring.fd, 500, 0, 0);
    fails(EBADF, io_uring_register, 77, IORING_UNREGISTER_FILES, 0, 0);
    fails(EOPNOTSUPP, io_uring_register, 0, IORING_UNREGISTER_FILES, 0, 0);
}

static void told(void) {
    struct uring ring = uring_make(8, 0, 0);
    uint64_t count = 0;
    int counter = eventfd(0, EFD_NONBLOCK), none = 0;
    gives(0, io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &counter, 1);
    fails(EBUSY, io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &counter, 1);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 1);
    uring_do(&ring);
    gives(8, read, counter, &count, 8);
    *ring.cq_flags = IORING_CQ_EVENTFD_DISABLED;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 2);
    uring_do(&ring);
    fails(EAGAIN, read, counter, &count, 8);
    gives(0, io_uring_register, ring.fd, IORING_UNREGISTER_EVENTFD, 0, 0);
    fails(ENXIO, io_uring_register, ring.fd, IORING_UNREGISTER_EVENTFD, 0, 0);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &none, 1);
    fails(EINVAL, io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &counter, 2);
    fails(EFAULT, io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, BAD, 1);
}

static void chains(void) {
    struct uring ring = uring_make(16, 0, 0);
    int ends[2];
    pipe(ends);
    for (int i = 1; i <= 4; i++)
        uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, (uint64_t)i)->flags =
            i < 4 ? IOSQE_IO_LINK : 0;
    uring_enter(&ring, 4);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 11)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_WRITE, 77, text, 4, 12)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 13);
    uring_enter(&ring, 0);
    is("nothing yet", uring_count(&ring), 0);
    write(ends[1], "pipe", 4);
    gives(0, io_uring_enter, ring.fd, 0, 3, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_READ, 77, text, 4, 21)->flags = IOSQE_IO_HARDLINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 22);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 31)->flags = IOSQE_IO_LINK;
    uring_put(&ring, 200, -1, NULL, 0, 32)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 33);
    uring_enter(&ring, 3);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 41)->flags = IOSQE_CQE_SKIP_SUCCESS;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 42);
    uring_enter(&ring, 1);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 43)->flags = IOSQE_IO_DRAIN;
    uring_do(&ring);
}

static void draining(void) {
    struct uring ring = uring_make(16, 0, 0);
    int ends[2];
    pipe(ends);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 51);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 52)->flags = IOSQE_IO_DRAIN;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 53);
    uring_enter(&ring, 0);
    is("nothing yet", uring_count(&ring), 0);
    write(ends[1], "pipe", 4);
    gives(0, io_uring_enter, ring.fd, 0, 3, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
}

int main(void) {
    of_files();
    what_waits();
    registered();
    told();
    chains();
    draining();
}
