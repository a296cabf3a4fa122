/* How much a pipe takes: by pages, whatever is in them, and what a non-blocking writer is told. */
#include "abi.h"

#include <sys/ioctl.h>

int main(void) {
    int ends[2], count;
    static char page[65536];
    pipe2(ends, O_NONBLOCK);
    gives(65536, fcntl, ends[0], F_GETPIPE_SZ);
    gives(65536, write, ends[1], page, 65536);
    fails(EAGAIN, write, ends[1], page, 1);
    gives(0, ioctl, ends[0], FIONREAD, &count);
    is("in it", count, 65536);
    gives(4096, read, ends[0], page, 4096);
    gives(4096, write, ends[1], page, 8192);
    fails(EAGAIN, write, ends[1], page, 4096);
    gives(4096, read, ends[0], page, 4096);
    gives(1, write, ends[1], page, 1);
    while (read(ends[0], page, sizeof page) > 0)
        ;
    fails(EAGAIN, read, ends[0], page, 1);
    gives(0, write, ends[1], page, 0);
    fails(EAGAIN, read, ends[0], page, 1);
    close(ends[1]);
    gives(0, read, ends[0], page, 1);
}
