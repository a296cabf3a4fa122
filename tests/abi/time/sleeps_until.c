/* Sleeping until a time: one that has passed, one that comes, and one that is no time. */
#include "abi.h"

static long now(int clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void until(int clock) {
    long begin = now(clock), end = begin + 30000000;
    struct timespec at = {end / 1000000000, end % 1000000000}, past = {1, 0};
    gives(0, clock_nanosleep, clock, TIMER_ABSTIME, &at, NULL);
    is("not too early", now(clock) >= end, 1);
    gives(0, clock_nanosleep, clock, TIMER_ABSTIME, &past, NULL);
}

int main(void) {
    struct timespec wrong = {0, 1000000000}, negative = {-1, 0}, short_one = {0, 1000}, left;
    until(CLOCK_MONOTONIC);
    until(CLOCK_REALTIME);
    until(CLOCK_BOOTTIME);
    until(CLOCK_TAI);
    fails(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, 0, &wrong, NULL);
    fails(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, 0, &negative, NULL);
    fails(EINVAL, clock_nanosleep, 99, 0, &short_one, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &short_one, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &short_one, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &short_one, NULL);
    fails(EFAULT, clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL);
    handle(SIGALRM, 0);
    alarm_in(20);
    struct timespec longer = {100, 0};
    fails(EINTR, clock_nanosleep, CLOCK_MONOTONIC, 0, &longer, &left);
    is("left", left.tv_sec, 99);
    left.tv_sec = 7;
    longer.tv_sec = now(CLOCK_MONOTONIC) / 1000000000 + 100;
    fails(EINTR, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &longer, &left);
    is("untouched", left.tv_sec, 7);
}
