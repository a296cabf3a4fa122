/* getrusage, times, getpriority and setpriority. */
#include "abi.h"

#include <sys/times.h>

static void nicer(void) {
    be(SOMEBODY);
    gives(0, setpriority, PRIO_PROCESS, 0, 10);
    gives(10, getpriority, PRIO_PROCESS, 0);
    fails(EACCES, setpriority, PRIO_PROCESS, 0, 5);
    fails(EPERM, setpriority, PRIO_PROCESS, getppid(), 15);
}

int main(void) {
    struct rusage usage;
    struct tms times;
    gives(0, getrusage, RUSAGE_SELF, &usage);
    gives(0, getrusage, RUSAGE_CHILDREN, &usage);
    gives(0, getrusage, RUSAGE_THREAD, &usage);
    fails(EINVAL, getrusage, 5, &usage);
    fails(EFAULT, getrusage, RUSAGE_SELF, BAD);
    works(times, &times);
    works(times, NULL);
    fails(EFAULT, times, BAD);
    gives(0, setpriority, PRIO_PROCESS, 0, 0);
    gives(20, getpriority, PRIO_PROCESS, 0);
    gives(0, setpriority, PRIO_PROCESS, 0, 3);
    gives(17, getpriority, PRIO_PROCESS, 0);
    gives(17, getpriority, PRIO_PGRP, 0);
    gives(0, setpriority, PRIO_PGRP, 0, 100);
    gives(1, getpriority, PRIO_PROCESS, 0);
    gives(0, setpriority, PRIO_PROCESS, 0, 0);
    fails(EINVAL, getpriority, 3, 0);
    fails(EINVAL, setpriority, -1, 0, 0);
    fails(ESRCH, getpriority, PRIO_PROCESS, 99999);
    fails(ESRCH, setpriority, PRIO_PROCESS, 99999, 0);
    fails(ESRCH, getpriority, PRIO_PGRP, 99999);
    in_child("nicer", nicer);
}
