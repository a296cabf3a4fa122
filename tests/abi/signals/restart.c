/* What a signal does to a call that waits: made again, or EINTR. */
#include "abi.h"

#include <poll.h>

static int ends_of[2];

static void writes_later(void) {
    until_asleep(getppid());
    kill(getppid(), SIGUSR1);
    write(ends_of[1], "x", 1);
}

int main(void) {
    char byte;
    pipe(ends_of);
    handle(SIGUSR1, SA_RESTART);
    int child = start(writes_later);
    gives(1, read, ends_of[0], &byte, 1);
    is("caught", caught, 1);
    ended("writer", child);
    handle(SIGALRM, SA_RESTART);
    alarm_in(40);
    struct pollfd one = {ends_of[0], POLLIN};
    fails(EINTR, poll, &one, 1, 10000);
    struct timespec time = {10, 0}, left;
    fails(EINTR, nanosleep, &time, &left);
    is("some is left", left.tv_sec >= 5, 1);
    fails(EINTR, clock_nanosleep, CLOCK_MONOTONIC, 0, &time, &left);
    fails(EINTR, pause);
    handle(SIGALRM, 0);
    fails(EINTR, read, ends_of[0], &byte, 1);
    fails(EINTR, select, 0, NULL, NULL, NULL, &(struct timeval){10, 0});
    fails(EINTR, pselect6, 0, NULL, NULL, NULL, &time, NULL);
    fails(EINTR, ppoll, &one, 1, &time, NULL, 8);
}
