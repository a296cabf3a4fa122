/* pipe and pipe2: bytes, ends, limits, and everything refused. */
#include "abi.h"

static int ends_of[2];

static void broken(void) {
    close(ends_of[0]);
    write(ends_of[1], "x", 1);
}

int main(void) {
    int ends[2];
    char data[16], *much = calloc(1, 70000);
    gives(0, pipe, ends);
    gives(3, write, ends[1], "abc", 3);
    gives(2, read, ends[0], data, 2);
    gives(1, read, ends[0], data, 2);
    fails(EBADF, read, ends[1], data, 1);
    fails(EBADF, write, ends[0], data, 1);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    fails(EAGAIN, read, ends[0], data, 1);
    gives(65536, write, ends[1], much, 70000);
    fails(EAGAIN, write, ends[1], "x", 1);
    gives(100, read, ends[0], much, 100);
    /* Writes of at most a page are whole or not at all. */
    fails(EAGAIN, write, ends[1], much, 4096);
    close(ends[1]);
    gives(65436, read, ends[0], much, 70000);
    gives(0, read, ends[0], data, 1);
    gives(0, pipe2, ends_of, O_CLOEXEC | O_NONBLOCK);
    gives(FD_CLOEXEC, fcntl, ends_of[0], F_GETFD);
    gives(O_NONBLOCK | O_WRONLY, fcntl, ends_of[1], F_GETFL);
    in_child("broken", broken);
    signal(SIGPIPE, SIG_IGN);
    close(ends_of[0]);
    fails(EPIPE, write, ends_of[1], "x", 1);
    gives(0, write, ends_of[1], "x", 0);
    fails(EFAULT, pipe, BAD);
    fails(EFAULT, pipe2, BAD, 0);
    fails(EINVAL, pipe2, ends, O_APPEND);
    pipe(ends);
    write(ends[1], "cd", 2);
    handle(SIGALRM, 0);
    alarm_in(20);
    gives(2, read, ends[0], data, 10);
    fails(EINTR, read, ends[0], data, 10);
    fcntl(ends[1], F_SETFL, 0);
    gives(65536, write, ends[1], much, 65536);
    fails(EINTR, write, ends[1], much, 4096);
}
