/* sched_*: policies, priorities, affinity, and everything refused. */
#include "abi.h"

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most;
};

static void somebody(void) {
    struct sched_param param = {1}, none = {0};
    struct attributes attributes = {.size = 48, .policy = SCHED_FIFO, .priority = 1};
    uint64_t cpus[16];
    be(SOMEBODY);
    fails(EPERM, sched_setscheduler, 0, SCHED_FIFO, &param);
    fails(EPERM, sched_setscheduler, getppid(), SCHED_OTHER, &none);
    fails(EPERM, sched_setparam, getppid(), &none);
    fails(EPERM, sched_setattr, 0, &attributes, 0);
    int length = sched_getaffinity(0, sizeof cpus, (void *)cpus);
    fails(EPERM, sched_setaffinity, getppid(), 8, cpus);
}

int main(void) {
    struct sched_param param = {5}, none = {0}, seen;
    struct attributes attributes = {}, long_ones = {.size = 8192};
    struct timespec slice;
    uint64_t cpus[16] = {}, nobody[16] = {};
    gives(0, sched_yield);
    gives(99, sched_get_priority_max, SCHED_FIFO);
    gives(1, sched_get_priority_min, SCHED_RR);
    gives(0, sched_get_priority_max, SCHED_OTHER);
    gives(0, sched_get_priority_min, SCHED_BATCH);
    fails(EINVAL, sched_get_priority_max, 99);
    fails(EINVAL, sched_get_priority_min, -1);
    gives(SCHED_OTHER, sched_getscheduler, 0);
    gives(0, sched_setscheduler, 0, SCHED_BATCH, &none);
    gives(SCHED_BATCH, sched_getscheduler, 0);
    gives(0, sched_getparam, 0, &seen);
    is("priority", seen.sched_priority, 0);
    gives(0, sched_setparam, 0, &none);
    fails(EINVAL, sched_setparam, 0, &param);
    fails(EINVAL, sched_setscheduler, 0, SCHED_OTHER, &param);
    fails(EINVAL, sched_setscheduler, 0, 99, &param);
    fails(EINVAL, sched_setscheduler, -1, SCHED_OTHER, &none);
    fails(EINVAL, sched_setscheduler, 0, SCHED_FIFO, &none);
    fails(EFAULT, sched_setscheduler, 0, SCHED_OTHER, BAD);
    fails(ESRCH, sched_setscheduler, 99999, SCHED_OTHER, &none);
    fails(EINVAL, sched_getscheduler, -1);
    fails(ESRCH, sched_getscheduler, 99999);
    fails(EINVAL, sched_getparam, -1, &seen);
    fails(EFAULT, sched_getparam, 0, BAD);
    fails(ESRCH, sched_getparam, 99999, &seen);
    fails(EINVAL, sched_setparam, -1, &none);
    fails(EFAULT, sched_setparam, 0, BAD);
    fails(ESRCH, sched_setparam, 99999, &none);
    gives(0, sched_rr_get_interval, 0, &slice);
    fails(EINVAL, sched_rr_get_interval, -1, &slice);
    fails(EFAULT, sched_rr_get_interval, 0, BAD);
    fails(ESRCH, sched_rr_get_interval, 99999, &slice);
    gives(0, sched_getattr, 0, &attributes, sizeof attributes, 0);
    is("policy", attributes.policy, SCHED_BATCH);
    attributes.policy = SCHED_OTHER;
    attributes.nice = 4;
    gives(0, sched_setattr, 0, &attributes, 0);
    gives(16, getpriority, PRIO_PROCESS, 0);
    fails(EINVAL, sched_getattr, 0, &attributes, 8, 0);
    fails(EINVAL, sched_getattr, 0, &attributes, sizeof attributes, 1);
    fails(EINVAL, sched_getattr, -1, &attributes, sizeof attributes, 0);
    fails(ESRCH, sched_getattr, 99999, &attributes, sizeof attributes, 0);
    fails(EFAULT, sched_getattr, 0, BAD, 56, 0);
    fails(EINVAL, sched_setattr, 0, &attributes, 1);
    fails(EINVAL, sched_setattr, 0, NULL, 0);
    fails(EFAULT, sched_setattr, 0, BAD, 0);
    fails(ESRCH, sched_setattr, 99999, &attributes, 0);
    fails(E2BIG, sched_setattr, 0, &long_ones, 0);
    attributes.policy = 99;
    fails(EINVAL, sched_setattr, 0, &attributes, 0);
    works(sched_getaffinity, 0, sizeof cpus, cpus);
    gives(0, sched_setaffinity, 0, 8, cpus);
    cpus[0] &= -cpus[0];
    gives(0, sched_setaffinity, 0, sizeof cpus, cpus);
    unsigned cpu = 99, node = 99;
    gives(0, getcpu, &cpu, &node, NULL);
    is("where it may", 1ul << cpu, cpus[0]);
    fails(EFAULT, getcpu, BAD, NULL, NULL);
    fails(EINVAL, sched_setaffinity, 0, 8, nobody);
    fails(EFAULT, sched_setaffinity, 0, 8, BAD);
    fails(ESRCH, sched_setaffinity, 99999, 8, cpus);
    fails(EINVAL, sched_getaffinity, 0, 0, cpus);
    fails(EINVAL, sched_getaffinity, 0, 3, cpus);
    fails(EFAULT, sched_getaffinity, 0, 64, BAD);
    fails(ESRCH, sched_getaffinity, 99999, 64, cpus);
    in_child("somebody", somebody);
}
