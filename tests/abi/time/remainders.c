/* Sleeps: what is left of them, absolute ones, every clock, and everything refused. */
#include "abi.h"

static struct timespec left;

static void clean(void) {
    left = (struct timespec){-7, -7};
}

int main(void) {
    struct timespec none = {0, 0}, small = {0, 1000}, ages = {1000, 999999999}, past = {1, 0}, now;
    const struct timespec wrong[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {0, LONG_MAX}};
    const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    gives(0, nanosleep, &none, &left);
    clean();
    gives(0, nanosleep, &small, &left);
    is("untouched", left.tv_sec, -7);
    for (int i = 0; i < 4; i++) {
        fails(EINVAL, nanosleep, &wrong[i], NULL);
        fails(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, 0, &wrong[i], NULL);
        fails(EINVAL, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &wrong[i], NULL);
    }
    for (int i = 0; i < 4; i++) {
        gives(0, clock_nanosleep, clocks[i], 0, &small, NULL);
        gives(0, clock_nanosleep, clocks[i], TIMER_ABSTIME, &past, NULL);
        abi_call(clock_gettime, clocks[i], &now);
        now.tv_nsec = now.tv_nsec < 990000000 ? now.tv_nsec + 5000000 : now.tv_nsec;
        gives(0, clock_nanosleep, clocks[i], TIMER_ABSTIME, &now, NULL);
        struct timespec then;
        abi_call(clock_gettime, clocks[i], &then);
        is("not too early",
           then.tv_sec > now.tv_sec || (then.tv_sec == now.tv_sec && then.tv_nsec >= now.tv_nsec),
           1);
    }
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &small, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &small, NULL);
    fails(EOPNOTSUPP, clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &small, NULL);
    fails(EINVAL, clock_nanosleep, 99, 0, &small, NULL);
    fails(EFAULT, nanosleep, BAD, NULL);
    fails(EFAULT, clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL);
    handle(SIGALRM, 0);
    alarm_in(20);
    clean();
    fails(EINTR, nanosleep, &ages, &left);
    is("left", left.tv_sec >= 990 && left.tv_sec <= 1000 && left.tv_nsec >= 0, 1);
    fails(EINTR, nanosleep, &ages, NULL);
    fails(EFAULT, nanosleep, &ages, BAD);
    /* The remainder may be where the time stood. */
    struct timespec same = ages;
    fails(EINTR, nanosleep, &same, &same);
    is("less", same.tv_sec <= 1000, 1);
    /* An absolute time has no remainder. */
    clean();
    abi_call(clock_gettime, CLOCK_MONOTONIC, &now);
    now.tv_sec += 1000;
    fails(EINTR, clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &now, &left);
    is("untouched", left.tv_sec, -7);
    fails(EINTR, clock_nanosleep, CLOCK_REALTIME, 0, &ages, &left);
    is("left", left.tv_sec >= 990, 1);
    fails(EINTR, clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &ages, &left);
    is("left", left.tv_sec >= 990, 1);
}
