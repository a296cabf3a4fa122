/* alarm and setitimer: what is left, replacing, and intervals that go on. */
#include "abi.h"

int main(void) {
    struct itimerval timer = {{0, 3000}, {0, 3000}}, before;
    gives(0, alarm, 100);
    is("left", alarm(50) >= 99, 1);
    is("left", alarm(0) >= 49, 1);
    gives(0, alarm, 0);
    handle(SIGALRM, SA_RESTART);
    gives(0, setitimer, ITIMER_REAL, &timer, NULL);
    while (caught < 3)
        doze(1);
    gives(0, getitimer, ITIMER_REAL, &before);
    is("interval", before.it_interval.tv_usec, 3000);
    timer = (struct itimerval){};
    gives(0, setitimer, ITIMER_REAL, &timer, &before);
    is("interval", before.it_interval.tv_usec, 3000);
    handle(SIGVTALRM, SA_RESTART);
    caught = 0;
    timer.it_value.tv_usec = 2000;
    gives(0, setitimer, ITIMER_VIRTUAL, &timer, NULL);
    while (!caught)
        ;
    handle(SIGPROF, SA_RESTART);
    caught = 0;
    gives(0, setitimer, ITIMER_PROF, &timer, NULL);
    while (!caught)
        syscall(SYS_getppid);
    fails(EINVAL, setitimer, 3, &timer, NULL);
    timer.it_value.tv_usec = 1000000;
    fails(EINVAL, setitimer, ITIMER_REAL, &timer, NULL);
    fails(EFAULT, setitimer, ITIMER_REAL, BAD, NULL);
    fails(EFAULT, getitimer, ITIMER_REAL, BAD);
    fails(EINVAL, getitimer, 3, &before);
}
