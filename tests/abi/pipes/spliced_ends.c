/* splice: of files, pipes and sockets at their ends, with offsets, and everything refused. */
#include "abi.h"

#include <sys/socket.h>

static char data[100000];

int main(void) {
    int one[2], two[2], ends[2];
    loff_t at = 2;
    pipe2(one, O_NONBLOCK);
    pipe2(two, O_NONBLOCK);
    put("file", "0123456789");
    int fd = open("file", O_RDWR), append = open("file", O_RDWR | O_APPEND);
    gives(3, splice, fd, &at, one[1], NULL, 3, 0);
    is("offset", at, 5);
    is("its own", lseek(fd, 0, SEEK_CUR), 0);
    gives(10, splice, fd, NULL, one[1], NULL, 100, 0);
    is("its own", lseek(fd, 0, SEEK_CUR), 10);
    gives(0, splice, fd, NULL, one[1], NULL, 100, 0);
    at = 1000;
    gives(0, splice, fd, &at, one[1], NULL, 100, 0);
    gives(5, splice, one[0], NULL, two[1], NULL, 5, 0);
    gives(8, splice, one[0], NULL, two[1], NULL, 100, 0);
    fails(EAGAIN, splice, one[0], NULL, two[1], NULL, 100, SPLICE_F_NONBLOCK);
    at = 20;
    gives(4, splice, two[0], NULL, fd, &at, 4, 0);
    gives(9, read, two[0], data, 100);
    say("%.9s", data);
    struct stat seen;
    fstat(fd, &seen);
    is("size", seen.st_size, 24);
    write(one[1], "abc", 3);
    fails(EINVAL, splice, one[0], NULL, append, NULL, 3, 0);
    fails(EINVAL, splice, fd, NULL, append, NULL, 3, 0);
    fails(EINVAL, splice, one[0], NULL, one[1], NULL, 3, 0);
    fails(ESPIPE, splice, one[0], &at, two[1], NULL, 3, 0);
    fails(ESPIPE, splice, one[0], NULL, two[1], &at, 3, 0);
    fails(EBADF, splice, one[1], NULL, two[1], NULL, 3, 0);
    fails(EBADF, splice, one[0], NULL, two[0], NULL, 3, 0);
    fails(EBADF, splice, -1, NULL, two[1], NULL, 3, 0);
    fails(EBADF, splice, one[0], NULL, 99, NULL, 3, 0);
    fails(EINVAL, splice, one[0], NULL, two[1], NULL, 3, 0x100);
    fails(EFAULT, splice, fd, BAD, two[1], NULL, 3, 0);
    gives(0, splice, one[0], NULL, two[1], NULL, 0, 0);
    at = -1;
    fails(EINVAL, splice, fd, &at, two[1], NULL, 3, 0);
    /* Into a full pipe nothing goes; from one without writers comes its end. */
    gives(65536, write, two[1], data, 65536);
    fails(EAGAIN, splice, one[0], NULL, two[1], NULL, 3, 0);
    gives(65536, read, two[0], data, 100000);
    close(one[1]);
    gives(3, splice, one[0], NULL, two[1], NULL, 100, 0);
    gives(0, splice, one[0], NULL, two[1], NULL, 100, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    gives(3, splice, two[0], NULL, ends[0], NULL, 100, 0);
    gives(3, splice, ends[1], NULL, two[1], NULL, 100, 0);
    gives(3, read, two[0], data, 100);
    say("%.3s", data);
    shutdown(ends[0], SHUT_WR);
    gives(0, splice, ends[1], NULL, two[1], NULL, 100, 0);
    write(two[1], "x", 1);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
    gives(1, splice, two[0], NULL, null, NULL, 100, 0);
    gives(100, splice, zero, NULL, two[1], NULL, 100, 0);
    signal(SIGPIPE, SIG_IGN);
    close(two[0]);
    fails(EPIPE, splice, fd, &(loff_t){0}, two[1], NULL, 3, 0);
}
