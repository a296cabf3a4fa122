/* How much a pipe holds: F_GETPIPE_SZ, F_SETPIPE_SZ, whole and partial writes, FIONREAD. */
#include "abi.h"

#include <poll.h>
#include <sys/ioctl.h>

static char data[1 << 21];

static void somebody(void) {
    int ends[2];
    be(SOMEBODY);
    pipe(ends);
    gives(1 << 20, fcntl, ends[0], F_SETPIPE_SZ, 1 << 20);
    fails(EPERM, fcntl, ends[0], F_SETPIPE_SZ, (1 << 20) + 1);
}

static int waiting(int fd) {
    int count = -1;
    ioctl(fd, FIONREAD, &count);
    return count;
}

static short ready(int fd, short events) {
    struct pollfd one = {fd, events};
    poll(&one, 1, 0);
    return one.revents;
}

int main(void) {
    int ends[2];
    pipe2(ends, O_NONBLOCK);
    gives(65536, fcntl, ends[0], F_GETPIPE_SZ);
    gives(65536, fcntl, ends[1], F_GETPIPE_SZ);
    const long sizes[] = {1, 4096, 4097, 65535, 65537, 100000, 1 << 20};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        say("asked for %ld", sizes[i]);
        works(fcntl, ends[1], F_SETPIPE_SZ, sizes[i]);
        say("  %d, writes %ld", fcntl(ends[0], F_GETPIPE_SZ), write(ends[1], data, sizeof data));
        say("  %d in it, ready %x %x", waiting(ends[0]), ready(ends[0], POLLIN),
            ready(ends[1], POLLOUT));
        fails(EAGAIN, write, ends[1], "x", 1);
        gives(4096, read, ends[0], data, 4096);
        say("  ready %x", ready(ends[1], POLLOUT));
        while (read(ends[0], data, sizeof data) > 0)
            ;
    }
    /* It does not shrink below what is in it. */
    write(ends[1], data, 70000);
    fails(EBUSY, fcntl, ends[0], F_SETPIPE_SZ, 4096);
    gives(1 << 20, fcntl, ends[0], F_GETPIPE_SZ);
    gives(131072, fcntl, ends[0], F_SETPIPE_SZ, 80000);
    gives(70000, read, ends[0], data, sizeof data);
    /* Writes of up to a page are whole or not at all, larger ones in part. */
    gives(4096, fcntl, ends[0], F_SETPIPE_SZ, 0);
    gives(96, write, ends[1], data, 96);
    fails(EAGAIN, write, ends[1], data, 4096);
    gives(4000, write, ends[1], data, 4000);
    say("%d", waiting(ends[0]));
    gives(4096, read, ends[0], data, 5000);
    gives(4096, write, ends[1], data, 4097);
    fails(EAGAIN, write, ends[1], data, 1);
    /* Each write of a byte takes a place beside the others in a page. */
    fcntl(ends[0], F_SETPIPE_SZ, 8192);
    while (read(ends[0], data, sizeof data) > 0)
        ;
    int bytes = 0;
    while (write(ends[1], "x", 1) == 1)
        bytes++;
    is("bytes", bytes, 8192);
    fails(EBADF, fcntl, 99, F_SETPIPE_SZ, 4096);
    int file = open("file", O_RDWR | O_CREAT, 0600);
    fails(EBADF, fcntl, file, F_SETPIPE_SZ, 4096);
    fails(EBADF, fcntl, file, F_GETPIPE_SZ);
    in_child("somebody", somebody);
}
