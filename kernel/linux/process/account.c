/*
 * Accounts: getrusage() and times(), and the sums behind them.
 */
#include "account.h"

#include "../abi.h"
#include "../program.h"
#include "lives.h"

#include <k42/k42.h>

#define NS_PER_TICK 10000000ul /* times() counts hundredths of a second */

void account_add(struct process_times *to, const struct process_times *from) {
    to->user_ns += from->user_ns;
    to->system_ns += from->system_ns;
    to->minor_faults += from->minor_faults;
    to->major_faults += from->major_faults;
    to->switches += from->switches;
    to->forced_switches += from->forced_switches;
    to->transfers.bytes_read += from->transfers.bytes_read;
    to->transfers.bytes_written += from->transfers.bytes_written;
    to->transfers.reads += from->transfers.reads;
    to->transfers.writes += from->transfers.writes;
    if (from->most_resident > to->most_resident)
        to->most_resident = from->most_resident;
}

struct process_times account_of_process(process_ref process) {
    struct process_times times;
    return k42_call(process, times, &times) < 0 ? (struct process_times){0} : times;
}

k42_result account_write(uintptr_t to, const struct process_times *times) {
    struct rusage usage = {
        .ru_utime = {(int64_t)(times->user_ns / 1000000000),
                     (int64_t)(times->user_ns % 1000000000 / 1000)},
        .ru_stime = {(int64_t)(times->system_ns / 1000000000),
                     (int64_t)(times->system_ns % 1000000000 / 1000)},
        .ru_maxrss = (int64_t)times->most_resident * 4,
        .ru_minflt = (int64_t)times->minor_faults,
        .ru_majflt = (int64_t)times->major_faults,
        .ru_nvcsw = (int64_t)times->switches,
        .ru_nivcsw = (int64_t)times->forced_switches,
    };
    return program_write(to, &usage, sizeof usage);
}

static uint64_t resident(struct task *task) {
    struct space_usage usage;
    return k42_call(task->space, usage, &usage) < 0 ? 0 : usage.resident;
}

LINUX_CALL(98, getrusage, int who, uintptr_t to) {
    struct task *task = task_self();
    struct process_info info;
    struct process_times times;
    k42_result result = k42_call(task->process, info, &info);
    if (result < 0)
        return result;
    switch (who) {
    case RUSAGE_SELF:
        times = account_of_process(task->process);
        break;
    case RUSAGE_CHILDREN:
        times = info.child_times;
        break;
    case RUSAGE_THREAD:
        times = task_times(task);
        break;
    default:
        return -EINVAL;
    }
    if (who != RUSAGE_CHILDREN && resident(task) > times.most_resident)
        times.most_resident = resident(task);
    return account_write(to, &times);
}

LINUX_CALL(100, times, uintptr_t to) {
    struct task *task = task_self();
    struct process_info info;
    k42_result result = k42_call(task->process, info, &info);
    if (result < 0)
        return result;
    struct process_times own = account_of_process(task->process);
    struct tms ticks = {
        .tms_utime = (int64_t)(own.user_ns / NS_PER_TICK),
        .tms_stime = (int64_t)(own.system_ns / NS_PER_TICK),
        .tms_cutime = (int64_t)(info.child_times.user_ns / NS_PER_TICK),
        .tms_cstime = (int64_t)(info.child_times.system_ns / NS_PER_TICK),
    };
    result = to ? program_write(to, &ticks, sizeof ticks) : 0;
    return result < 0 ? result : (k42_result)(time_ns() / NS_PER_TICK);
}
