/* What a child has of its parent: niceness, policy, processors; and what it may be asked not to. */
#include "abi.h"

static void child(void) {
    uint64_t cpus[16] = {};
    gives(15, getpriority, PRIO_PROCESS, 0);
    gives(SCHED_BATCH, sched_getscheduler, 0);
    abi_call(sched_getaffinity, 0, sizeof cpus, cpus);
    is("one processor", __builtin_popcountl(cpus[0]), 1);
}

static void fresh(void) {
    gives(SCHED_OTHER, sched_getscheduler, 0);
}

int main(void) {
    struct sched_param none = {0}, some = {1};
    uint64_t cpus[16] = {};
    abi_call(sched_getaffinity, 0, sizeof cpus, cpus);
    cpus[0] &= -cpus[0];
    gives(0, sched_setaffinity, 0, 8, cpus);
    gives(0, setpriority, PRIO_PROCESS, 0, 5);
    gives(0, sched_setscheduler, 0, SCHED_BATCH, &none);
    in_child("child", child);
    gives(0, sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, &some);
    gives(SCHED_FIFO | SCHED_RESET_ON_FORK, sched_getscheduler, 0);
    in_child("fresh", fresh);
}
