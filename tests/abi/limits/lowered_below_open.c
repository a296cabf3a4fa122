/* A limit below what is open already: that stays, and works. */
#include "abi.h"

int main(void) {
    int ends[2];
    char byte;
    pipe(ends);
    int high = dup2(ends[0], 60);
    struct rlimit few = {2, 100}, none = {0, 100};
    gives(0, setrlimit, RLIMIT_NOFILE, &few);
    gives(1, write, ends[1], "x", 1);
    gives(1, read, high, &byte, 1);
    fails(EMFILE, dup, high);
    fails(EBADF, dup2, high, 61);
    gives(1, dup2, 1, 1);
    gives(60, dup2, 60, 60);
    gives(0, close, high);
    fails(EBADF, dup2, ends[0], 60);
    gives(0, setrlimit, RLIMIT_NOFILE, &none);
    fails(EMFILE, open, "/dev/null", O_RDONLY);
    gives(0, close, ends[0]);
    gives(0, close, ends[1]);
}
