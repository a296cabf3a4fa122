/* select: bits in and out, the time that is left, numbers that are none. */
#include "abi.h"

#include <sys/select.h>

int main(void) {
    int ends[2];
    fd_set in, out;
    struct timeval time = {5, 0};
    pipe(ends);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    gives(1, select, ends[1] + 1, &in, &out, NULL, &time);
    is("not to read", FD_ISSET(ends[0], &in), 0);
    is("to write", !!FD_ISSET(ends[1], &out), 1);
    is("time is left", time.tv_sec, 4);
    write(ends[1], "x", 1);
    FD_SET(ends[0], &in);
    gives(2, select, ends[1] + 1, &in, &out, NULL, NULL);
    time = (struct timeval){0, 2000};
    FD_ZERO(&in);
    gives(0, select, 0, NULL, NULL, NULL, &time);
    is("none left", time.tv_sec * 1000000 + time.tv_usec, 0);
    FD_SET(60, &in);
    fails(EBADF, select, 61, &in, NULL, NULL, &time);
    gives(0, select, 60, &in, NULL, NULL, &time);
    fails(EINVAL, select, -1, &in, NULL, NULL, NULL);
    time.tv_usec = -1;
    fails(EINVAL, select, 1, NULL, NULL, NULL, &time);
    fails(EFAULT, select, 10, BAD, NULL, NULL, NULL);
    fails(EFAULT, select, 0, NULL, NULL, NULL, BAD);
}
