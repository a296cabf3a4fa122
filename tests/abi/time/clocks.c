/* clock_gettime, clock_getres, clock_settime, gettimeofday, time. */
#include "abi.h"

int main(void) {
    struct timespec now = {}, later = {}, bad = {0, -1}, bad2 = {-1, 0}, bad3 = {0, 1000000000};
    struct timeval day = {};
    int clocks[] = {CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
                    CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                    CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        gives(0, clock_gettime, clocks[i], &now);
        gives(0, clock_gettime, clocks[i], &later);
        is("does not go back",
           later.tv_sec > now.tv_sec ||
               (later.tv_sec == now.tv_sec && later.tv_nsec >= now.tv_nsec),
           1);
        gives(0, clock_getres, clocks[i], &now);
        say("%ld, at most a second: %d", now.tv_sec, now.tv_nsec <= 1000000000);
    }
    gives(0, clock_getres, CLOCK_MONOTONIC, &now);
    is("fine", now.tv_nsec, 1);
    gives(0, clock_getres, CLOCK_MONOTONIC, NULL);
    fails(EINVAL, clock_gettime, 99, &now);
    fails(EINVAL, clock_getres, 99, &now);
    fails(EINVAL, clock_getres, -1, &now);
    fails(EFAULT, clock_gettime, CLOCK_REALTIME, BAD);
    fails(EFAULT, clock_getres, CLOCK_REALTIME, BAD);
    fails(EINVAL, clock_settime, CLOCK_MONOTONIC, &now);
    fails(EINVAL, clock_settime, CLOCK_REALTIME, &bad);
    fails(EINVAL, clock_settime, CLOCK_REALTIME, &bad3);
    fails(EFAULT, clock_settime, CLOCK_REALTIME, BAD);
    /* Those of a process and of a thread, by number. */
    gives(0, clock_gettime, ~getpid() << 3 | 2, &now);
    gives(0, clock_gettime, ~gettid() << 3 | 6, &now);
    fails(EINVAL, clock_gettime, ~99999 << 3 | 2, &now);
    gives(0, gettimeofday, &day, NULL);
    gives(0, gettimeofday, NULL, NULL);
    fails(EFAULT, gettimeofday, BAD, NULL);
    long seconds = works(time, NULL);
    is("the same", seconds - day.tv_sec <= 1, 1);
    fails(EFAULT, time, BAD);
    struct timeval wrong = {0, 2000000};
    fails(EINVAL, settimeofday, &wrong, NULL);
    fails(EFAULT, settimeofday, BAD, NULL);
    gives(0, settimeofday, NULL, NULL);
    be(SOMEBODY);
    now.tv_sec = 1;
    fails(EPERM, clock_settime, CLOCK_REALTIME, &now);
    fails(EPERM, settimeofday, &day, NULL);
}
