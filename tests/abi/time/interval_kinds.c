/* setitimer and alarm: each kind, its signal, what is left, over fork and exec. */
#include "abi.h"

static struct itimerval now;

static void child(void) {
    for (int kind = 0; kind < 3; kind++) {
        gives(0, getitimer, kind, &now);
        is("none", now.it_value.tv_sec + now.it_value.tv_usec, 0);
    }
}

static void spins(void) {
    while (!caught)
        getppid();
}

int main(void) {
    struct itimerval ages = {{7, 8}, {1000, 5}}, none = {}, wrong = {{0, 0}, {0, 1000000}},
                     soon = {{0, 0}, {0, 1000}};
    const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
    for (int kind = 0; kind < 3; kind++) {
        say("kind %d", kind);
        handle(signals[kind], 0);
        gives(0, setitimer, kind, &ages, NULL);
        gives(0, getitimer, kind, &now);
        say("%ld %ld, %d", now.it_interval.tv_sec, (long)now.it_interval.tv_usec,
            now.it_value.tv_sec >= 990);
        caught = 0;
        gives(0, setitimer, kind, &soon, &now);
        is("before", now.it_interval.tv_sec, 7);
        spins();
        gives(0, getitimer, kind, &now);
        is("once", now.it_value.tv_sec + now.it_value.tv_usec, 0);
        fails(EINVAL, setitimer, kind, &wrong, NULL);
        wrong.it_value.tv_usec = -1;
        fails(EINVAL, setitimer, kind, &wrong, NULL);
        fails(EFAULT, setitimer, kind, BAD, NULL);
        fails(EFAULT, getitimer, kind, BAD);
        gives(0, setitimer, kind, &ages, NULL);
    }
    in_child("child", child);
    fails(EINVAL, setitimer, 3, &ages, NULL);
    fails(EINVAL, getitimer, 3, &now);
    long left = works(alarm, 500);
    is("about 1000", left >= 900 && left <= 1000, 1);
    gives(0, getitimer, ITIMER_REAL, &now);
    is("no interval", now.it_interval.tv_sec, 0);
    left = works(alarm, 0);
    is("about 500", left >= 450 && left <= 500, 1);
    gives(0, alarm, 0);
    gives(0, setitimer, ITIMER_VIRTUAL, NULL, &now);
    gives(0, getitimer, ITIMER_VIRTUAL, &now);
    is("disarmed", now.it_value.tv_sec, 0);
    gives(0, setitimer, ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 900000}}, NULL);
    gives(1, alarm, 10); /* less than a second is one */
}
