/*
 * Something that is started for one program's call and takes a while: a flush, a change of size.
 *
 * The call's first attempt starts it; later attempts, known by the call's number, find it under way
 * or over, and take its result. Other calls wait until it is over and start their own, since theirs
 * must begin after they came.
 */
#ifndef KERNEL_ONCE_H
#define KERNEL_ONCE_H

#include <k42/lock.h>
#include <stdbool.h>

#include "../sched/wait.h"

struct once {
    struct k42_lock lock;
    uint64_t request;
    k42_result result;
    bool under_way, over;
};

enum once_state { ONCE_START, ONCE_UNDER_WAY, ONCE_OVER };

/* What the calling program's call is to do: start it, wait, or return *result. */
static inline enum once_state once_look(struct once *once, k42_result *result) {
    uint64_t request = wait_request();
    enum once_state state = ONCE_UNDER_WAY;
    k42_lock(&once->lock);
    if (once->over && once->request == request) {
        state = ONCE_OVER;
        once->over = false;
        *result = once->result;
    } else if (!once->under_way) {
        state = ONCE_START;
        once->request = request;
        once->under_way = true;
        once->over = false;
    }
    k42_unlock(&once->lock);
    return state;
}

/* It is over, or (not `over`) could not be started. The caller notifies who waits afterwards. */
static inline void once_settle(struct once *once, k42_result result, bool over) {
    k42_lock(&once->lock);
    once->under_way = false;
    once->over = over;
    once->result = result;
    k42_unlock(&once->lock);
}

#endif
