/* alarm, getitimer, setitimer. */
#include "abi.h"

int main(void) {
    struct itimerval timer = {.it_value = {100, 0}, .it_interval = {5, 0}}, seen, none = {};
    struct itimerval bad = {.it_value = {0, 1000000}},
                     soon = {.it_value = {0, 5000}, .it_interval = {0, 5000}};
    gives(0, alarm, 100);
    gives(100, alarm, 0);
    gives(0, alarm, 0);
    gives(0, setitimer, ITIMER_REAL, &timer, NULL);
    gives(0, getitimer, ITIMER_REAL, &seen);
    say("%ld %ld.%ld", (long)seen.it_value.tv_sec / 10, (long)seen.it_interval.tv_sec,
        (long)seen.it_interval.tv_usec);
    gives(0, setitimer, ITIMER_REAL, &none, &seen);
    say("%ld", (long)seen.it_value.tv_sec / 10);
    gives(0, getitimer, ITIMER_REAL, &seen);
    say("%ld", (long)seen.it_value.tv_sec);
    handle(SIGALRM, 0);
    handle(SIGVTALRM, 0);
    handle(SIGPROF, 0);
    gives(0, setitimer, ITIMER_REAL, &soon, NULL);
    while (caught < 3)
        doze(1);
    gives(0, setitimer, ITIMER_REAL, &none, NULL);
    caught = 0;
    gives(0, setitimer, ITIMER_VIRTUAL, &soon, NULL);
    while (caught < 2)
        ;
    gives(0, setitimer, ITIMER_VIRTUAL, &none, NULL);
    caught = 0;
    gives(0, setitimer, ITIMER_PROF, &soon, NULL);
    while (caught < 2)
        ;
    gives(0, setitimer, ITIMER_PROF, NULL, NULL);
    fails(EINVAL, setitimer, 3, &none, NULL);
    fails(EINVAL, setitimer, ITIMER_REAL, &bad, NULL);
    fails(EFAULT, setitimer, ITIMER_REAL, BAD, NULL);
    fails(EFAULT, setitimer, ITIMER_REAL, &none, BAD);
    fails(EINVAL, getitimer, 3, &seen);
    fails(EFAULT, getitimer, ITIMER_REAL, BAD);
}
