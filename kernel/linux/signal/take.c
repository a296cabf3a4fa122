/*
 * Taking a signal out of its queue, for whoever does: a handler's delivery, sigtimedwait(),
 * signalfd.
 *
 * What a timer's signal stands for is known only now, since more may have come while it waited:
 * timer_getoverrun() tells what was taken last. Holds no lock; does not fail.
 */
#include "../abi.h"
#include "../alarms.h"
#include "../process/process.h"
#include "../task.h"

#include <k42/k42.h>

k42_result signal_take(struct task *task, uint64_t set, bool deliver, struct signal_taken *taken) {
    k42_result signal = k42_call(task->process, take, task, set, deliver, taken);
    if (signal > 0 && taken->info.code == SI_TIMER)
        alarm_taken(&taken->info);
    return signal;
}
