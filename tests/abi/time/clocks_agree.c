/* Clocks: none goes backwards, and those that belong together agree. */
#include "abi.h"

static long now(int clock) {
    struct timespec time = {};
    if (clock_gettime(clock, &time))
        give_up("clock");
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void) {
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,          CLOCK_MONOTONIC_RAW,
                                 CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                 CLOCK_TAI};
    for (int i = 0; i < 7; i++) {
        long before = now(clocks[i]);
        int backwards = 0;
        for (int n = 0; n < 1000; n++) {
            long after = now(clocks[i]);
            backwards += after < before;
            before = after;
        }
        is("backwards", backwards, 0);
    }
    long first = now(CLOCK_REALTIME);
    struct timeval day;
    gettimeofday(&day, NULL);
    long second = now(CLOCK_REALTIME), us = first / 1000;
    is("gettimeofday", day.tv_sec * 1000000 + day.tv_usec >= us, 1);
    is("and not later", day.tv_sec * 1000000 + day.tv_usec <= second / 1000, 1);
    long seconds = abi_call(time, NULL);
    is("time", labs(seconds - first / 1000000000) <= 2, 1);
    is("coarse", now(CLOCK_REALTIME_COARSE) <= now(CLOCK_REALTIME), 1);
    is("coarse", now(CLOCK_MONOTONIC_COARSE) <= now(CLOCK_MONOTONIC), 1);
    is("thread's", now(CLOCK_THREAD_CPUTIME_ID) <= now(CLOCK_PROCESS_CPUTIME_ID), 1);
    struct timespec step;
    gives(0, clock_getres, CLOCK_MONOTONIC, &step);
    is("a nanosecond", step.tv_sec * 1000000000 + step.tv_nsec, 1);
    gives(0, clock_getres, CLOCK_REALTIME, NULL);
}
