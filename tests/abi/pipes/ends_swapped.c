/* Reading from the end that writes, and the other way; closing one of several holders. */
#include "abi.h"

int main(void) {
    int ends[2];
    char byte;
    signal(SIGPIPE, SIG_IGN);
    pipe(ends);
    fails(EBADF, read, ends[1], &byte, 1);
    fails(EBADF, write, ends[0], "x", 1);
    fails(ESPIPE, lseek, ends[0], 0, SEEK_CUR);
    fails(ESPIPE, pread64, ends[0], &byte, 1, 0);
    fails(ESPIPE, pwrite64, ends[1], "x", 1, 0);
    fails(EINVAL, ftruncate, ends[1], 0);
    fails(EINVAL, fsync, ends[0]);
    fails(EINVAL, fdatasync, ends[1]);
    int more = dup(ends[1]);
    gives(0, close, ends[1]);
    gives(1, write, more, "x", 1);
    gives(1, read, ends[0], &byte, 1);
    gives(0, close, more);
    gives(0, read, ends[0], &byte, 1);
    pipe(ends);
    int reader = dup(ends[0]);
    close(ends[0]);
    gives(1, write, ends[1], "x", 1);
    close(reader);
    fails(EPIPE, write, ends[1], "x", 1);
    fails(EPIPE, write, ends[1], BAD, 1);
    gives(0, write, ends[1], "", 0);
}
