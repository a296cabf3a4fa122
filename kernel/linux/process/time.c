/*
 * Processes and the time they use: sums, and RLIMIT_CPU.
 *
 * A thread's time is its own until it leaves, when it becomes its process's under the same lock by
 * which it leaves; so a sum made under that lock has each thread once.
 */
#include "account.h"
#include "body.h"
#include "lives.h"

#include "../abi.h"

#define NS 1000000000ul

static struct process_times sum_locked(const struct process_body *body) {
    struct process_times sum = body->times;
    for (const struct task *task = body->first; task; task = task->next) {
        struct process_times times = task_times(task);
        account_add(&sum, &times);
    }
    return sum;
}

k42_result process_times(struct process *self, struct process_times *times) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    *times = sum_locked(body);
    k42_unlock(&body->lock);
    return 0;
}

/* Limits are in seconds. As on Linux, each signal at the soft one makes that a second more. */
static int time_is_up(struct process_limit *limit, uint64_t used) {
    if (used / NS >= limit->most)
        return SIGKILL;
    if (used / NS < limit->now)
        return 0;
    limit->now = used / NS + 1;
    return SIGXCPU;
}

struct k42_pair process_time_limit(struct process *self) {
    struct process_body *body = process_body_of(self);
    struct process_limit *limit = &body->own.limits[RLIMIT_CPU];
    struct k42_pair next = {0, TASK_UNLIMITED};
    k42_lock(&body->lock);
    if (limit->now != TASK_UNLIMITED) {
        struct process_times times = sum_locked(body);
        uint64_t used = times.user_ns + times.system_ns;
        next.result = time_is_up(limit, used);
        if (next.result != SIGKILL)
            next.word = limit->now < INT64_MAX / NS ? limit->now * NS - used : INT64_MAX;
    }
    k42_unlock(&body->lock);
    return next;
}
