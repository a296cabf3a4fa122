/* When a pipe is at its end: when the last that could write has gone. */
#include "abi.h"

#include <poll.h>

static int ends_of[2];

static void writer(void) {
    close(ends_of[0]);
    gives(1, write, ends_of[1], "c", 1);
}

int main(void) {
    char data[4];
    pipe(ends_of);
    int child = start(writer), copy = dup(ends_of[1]);
    close(ends_of[1]);
    ended("writer", child);
    gives(1, read, ends_of[0], data, 4);
    struct pollfd one = {ends_of[0], POLLIN};
    gives(0, poll, &one, 1, 0);
    close(copy);
    gives(1, poll, &one, 1, 0);
    say("%x", one.revents);
    gives(0, read, ends_of[0], data, 4);
    pipe(ends_of);
    close(ends_of[0]);
    one = (struct pollfd){ends_of[1], POLLOUT};
    gives(1, poll, &one, 1, 0);
    say("%x", one.revents);
    signal(SIGPIPE, SIG_IGN);
    fails(EPIPE, write, ends_of[1], "x", 1);
}
