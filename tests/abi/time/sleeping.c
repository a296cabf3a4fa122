/* nanosleep and clock_nanosleep. */
#include "abi.h"

int main(void) {
    struct timespec soon = {0, 1000000}, bad = {0, 1000000000}, bad2 = {-1, 0}, past = {1, 0}, left,
                    now, end;
    gives(0, nanosleep, &soon, NULL);
    fails(EINVAL, nanosleep, &bad, NULL);
    fails(EINVAL, nanosleep, &bad2, NULL);
    fails(EFAULT, nanosleep, BAD, NULL);
    gives(0, clock_nanosleep, CLOCK_MONOTONIC, 0, &soon, NULL);
    gives(0, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
    gives(0, clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL);
    gives(0, clock_nanosleep, CLOCK_BOOTTIME, 0, &soon, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now;
    end.tv_nsec += 30000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    gives(0, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    is("not too early",
       now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec), 1);
    fails(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL);
    fails(EINVAL, clock_nanosleep, 99, 0, &soon, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &soon, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &soon, NULL);
    fails(EFAULT, clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL);
    handle(SIGALRM, 0);
    alarm_in(20);
    struct timespec long_time = {100, 0};
    fails(EINTR, nanosleep, &long_time, &left);
    is("left", left.tv_sec > 50, 1);
    fails(EFAULT, nanosleep, &long_time, BAD);
    fails(EINTR, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){1000000000, 0},
          NULL);
}
