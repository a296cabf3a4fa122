/* preadv2 and pwritev2: offsets, flags, limits of vectors, and everything refused. */
#include "abi.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

int main(void) {
    char a[8] = "", b[8] = "", *end = page_end();
    struct iovec two[2] = {{a, 3}, {b, 7}}, hole[3] = {{a, 2}, {NULL, 0}, {b, 2}},
                 across[2] = {{a, 2}, {end - 1, 4}}, bad[2] = {{a, 2}, {BAD, 2}},
                 huge[2] = {{a, SSIZE_MAX}, {b, 1}}, negative[1] = {{a, -1}};
    static struct iovec many[1025];
    put("file", "0123456789");
    int fd = open("file", O_RDWR), reads = open("file", O_RDONLY), ends[2];
    pipe2(ends, O_NONBLOCK);
    gives(10, readv, fd, two, 2);
    say("%.3s %.7s", a, b);
    gives(0, readv, fd, two, 2);
    gives(5, preadv, fd, two, 2, 5);
    gives(4, preadv2, fd, hole, 3, 1, 0, 0);
    say("%.2s %.2s", a, b);
    gives(0, preadv2, fd, two, 2, 100, 0, 0);
    gives(0, preadv2, fd, two, 2, -1, -1, 0);
    lseek(fd, 3, SEEK_SET);
    gives(7, preadv2, fd, two, 2, -1, -1, 0);
    is("moved", lseek(fd, 0, SEEK_CUR), 10);
    gives(4, pwritev2, fd, hole, 3, 0, 0, RWF_SYNC);
    gives(4, pwritev2, fd, hole, 3, 0, 0, RWF_DSYNC);
    gives(10, preadv2, fd, two, 2, 0, 0, RWF_HIPRI);
    say("%s", get("file"));
    fails(EOPNOTSUPP, preadv2, fd, two, 2, 0, 0, 0x1000);
    fails(EOPNOTSUPP, pwritev2, fd, two, 2, 0, 0, 0x1000);
    fails(EINVAL, preadv, fd, two, 2, -1);
    fails(EINVAL, preadv2, fd, two, 2, -2, -1, 0);
    fails(EINVAL, pwritev, fd, two, 2, -1);
    fails(ESPIPE, preadv, ends[0], two, 2, 0);
    fails(ESPIPE, pwritev2, ends[1], two, 2, 0, 0, 0);
    gives(10, pwritev2, ends[1], two, 2, -1, -1, 0);
    gives(10, preadv2, ends[0], two, 2, -1, -1, 0);
    fails(EAGAIN, preadv2, ends[0], two, 2, -1, -1, 0);
    fails(EINVAL, readv, fd, two, -1);
    gives(0, readv, fd, two, 0);
    gives(0, readv, fd, BAD, 0);
    gives(0, readv, fd, many, 1024);
    fails(EINVAL, readv, fd, many, 1025);
    fails(EINVAL, writev, fd, many, 1025);
    fails(EINVAL, preadv, fd, many, 1025, 0);
    fails(EFAULT, readv, fd, BAD, 1);
    lseek(fd, 0, SEEK_SET);
    fails(EINVAL, readv, fd, negative, 1);
    fails(EINVAL, writev, fd, negative, 1);
    /* What comes before the bad place is done. */
    gives(2, preadv, fd, bad, 2, 0);
    fails(EFAULT, writev, ends[1], bad + 1, 1);
    fails(EFAULT, preadv, fd, bad + 1, 1, 0);
    gives(3, preadv, fd, across, 2, 0);
    fails(EBADF, writev, reads, two, 2);
    fails(EBADF, pwritev, reads, two, 2, 0);
    fails(EBADF, preadv, -1, two, 2, 0);
    fails(EISDIR, readv, open(".", O_RDONLY), two, 2);
}
