/* sched_setscheduler and its like: what is set, told and refused. */
#include "abi.h"

int main(void) {
    struct sched_param param = {5}, seen;
    gives(0, sched_getscheduler, 0);
    gives(0, sched_setscheduler, 0, SCHED_RR, &param);
    gives(SCHED_RR, sched_getscheduler, 0);
    gives(0, sched_getparam, 0, &seen);
    is("priority", seen.sched_priority, 5);
    param.sched_priority = 0;
    fails(EINVAL, sched_setscheduler, 0, SCHED_FIFO, &param);
    gives(0, sched_setscheduler, 0, SCHED_BATCH, &param);
    gives(0, sched_setscheduler, 0, SCHED_OTHER, &param);
    param.sched_priority = 1;
    fails(EINVAL, sched_setscheduler, 0, SCHED_OTHER, &param);
    fails(EINVAL, sched_setscheduler, 0, 99, &param);
    fails(EINVAL, sched_setscheduler, -1, SCHED_OTHER, &param);
    fails(ESRCH, sched_getscheduler, 99999999);
    gives(99, sched_get_priority_max, SCHED_FIFO);
    gives(1, sched_get_priority_min, SCHED_RR);
    gives(0, sched_get_priority_max, SCHED_OTHER);
    fails(EINVAL, sched_get_priority_max, 99);
    be(SOMEBODY);
    fails(EPERM, sched_setscheduler, 0, SCHED_FIFO, &param);
}
