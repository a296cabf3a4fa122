/* Clocks of processes and threads: they count what is used and not what is slept. */
#include "abi.h"

static long now(int clock) {
    struct timespec time = {};
    if (clock_gettime(clock, &time))
        give_up("clock");
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void) {
    long before = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    doze(50);
    is("asleep", now(CLOCK_PROCESS_CPUTIME_ID) - before < now(CLOCK_MONOTONIC) - wall, 1);
    before = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_THREAD_CPUTIME_ID) - before < 2000000)
        ;
    is("awake", now(CLOCK_PROCESS_CPUTIME_ID) > before, 1);
    clockid_t clock;
    is("own", clock_getcpuclockid(0, &clock), 0);
    is("counts", now(clock) > 0, 1);
    is("none", clock_getcpuclockid(99999999, &clock), ESRCH);
    fails(EINVAL, clock_settime, CLOCK_MONOTONIC, &(struct timespec){});
    fails(EINVAL, clock_gettime, 77, &(struct timespec){});
}
