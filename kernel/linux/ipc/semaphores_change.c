/*
 * How calls change an array of semaphores, and wait for it. See semaphores.h.
 *
 * Calls that wait are in a list and counted at the semaphore that is in their way; there their
 * threads wait, too, in the table of all waiters. Whoever changes something goes through the list,
 * makes the changes of those that can be made now, takes these calls out and wakes their threads.
 *
 * A call is its thread's memory. It is not looked at once it is out of the list and `done`; a
 * thread that stops waiting for another reason takes it out with the lock, and looks at `done`
 * after that.
 *
 * Locking: the array's lock, in all of it. Fails: -EAGAIN, -ERANGE, -EIDRM, -K42_WAIT.
 */
#include "../../sched/wait.h"
#include "ipc.h"
#include "runtime.h"
#include "semaphore_undo.h"
#include "semaphores_array.h"

#include <errno.h>
#include <linux/sem.h>

static uint32_t *waiting(struct array *array, const struct semaphore_call *call) {
    struct semaphore *semaphore = &array->each[call->number];
    return call->for_zero ? &semaphore->wait_zero : &semaphore->wait_more;
}

static void put_in_list(struct array *array, struct semaphore_call *call) {
    call->waits = true;
    call->next = NULL;
    call->link = array->last;
    *array->last = call;
    array->last = &call->next;
}

void array_take_out(struct array *array, struct semaphore_call *call) {
    if (!call->waits)
        return;
    --*waiting(array, call);
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    else
        array->last = call->link;
    call->waits = false;
}

/* Events are at the semaphore that was in the way when its thread looked last. */
static void wake(const struct array *array, unsigned number, bool for_zero) {
    (void)!wait_notify(array->id, number, for_zero ? WAIT_WRITE : WAIT_READ, WAIT_ALL);
}

/* Its thread may be gone with it as soon as it is done. */
static void finish(struct array *array, struct semaphore_call *call, k42_result result) {
    unsigned number = call->number;
    bool for_zero = call->for_zero;
    array_take_out(array, call);
    call->result = result;
    __atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
    wake(array, number, for_zero);
}

/* ---- changing ---- */

/* Takes back the first so many. */
static void take_back(struct array *array, const struct semaphore_call *call, uint32_t count) {
    while (count--) {
        const struct semaphore_change *change = &call->changes[count];
        array->each[change->number].value -= change->by;
        if (change->flags & SEM_UNDO)
            call->undo->by[change->number] = (int16_t)(call->undo->by[change->number] + change->by);
    }
}

/* 0; -K42_WAIT: the semaphore is in the way; -ERANGE. */
static k42_result change_one(struct array *array, const struct semaphore_call *call,
                             const struct semaphore_change *change) {
    int32_t *value = &array->each[change->number].value, after = *value + change->by;
    if ((!change->by && *value) || after < 0)
        return -K42_WAIT;
    if (after > SEMAPHORE_MOST)
        return -ERANGE;
    if (change->flags & SEM_UNDO) {
        int16_t *by = &call->undo->by[change->number];
        int undone = *by - change->by;
        if (undone < -SEMAPHORE_MOST - 1 || undone > SEMAPHORE_MOST)
            return -ERANGE;
        *by = (int16_t)undone;
    }
    *value = after;
    return 0;
}

static void list_undo(struct array *array, struct semaphore_undo *undo) {
    if (!undo || undo->listed)
        return;
    undo->listed = true;
    undo->before = NULL;
    undo->next = array->undos;
    if (undo->next)
        undo->next->before = undo;
    array->undos = undo;
}

/* 0, -ERANGE, -EAGAIN, or -K42_WAIT: the one at `at` is in the way. */
static k42_result change_all(struct array *array, const struct semaphore_call *call, uint32_t *at) {
    for (*at = 0; *at < call->count; ++*at) {
        k42_result result = change_one(array, call, &call->changes[*at]);
        if (result < 0) {
            take_back(array, call, *at);
            bool waits = !(call->changes[*at].flags & IPC_NOWAIT);
            return result == -K42_WAIT && !waits ? -EAGAIN : result;
        }
    }
    for (uint32_t each = 0; each < call->count; each++)
        array->each[call->changes[each].number].pid = call->pid;
    array->changed = ipc_now();
    return 0;
}

/* ---- waiting ---- */

static void count(struct array *array, struct semaphore_call *call, uint32_t at) {
    call->number = call->changes[at].number;
    call->for_zero = !call->changes[at].by;
    ++*waiting(array, call);
}

/* Another one is in the way now: the thread is to wait there. */
static void go_elsewhere(struct array *array, struct semaphore_call *call, uint32_t at) {
    unsigned number = call->number;
    bool for_zero = call->for_zero;
    --*waiting(array, call);
    count(array, call, at);
    if (call->number != number || call->for_zero != for_zero)
        wake(array, number, for_zero);
}

/* Whether what a call did can let somebody go on. */
static bool helps(const struct array *array, const struct semaphore_call *call) {
    for (uint32_t at = 0; at < call->count; at++) {
        const struct semaphore_change *change = &call->changes[at];
        if (change->by > 0 || (change->by && !array->each[change->number].value))
            return true;
    }
    return false;
}

/* The one that has waited longest goes first. */
void array_let_go_on(struct array *array) {
    struct semaphore_call *call = array->first, *next;
    for (uint32_t at; call; call = next) {
        next = call->next;
        k42_result result = change_all(array, call, &at);
        if (result == -K42_WAIT) {
            go_elsewhere(array, call, at);
            continue;
        }
        bool again = result == 0 && helps(array, call);
        finish(array, call, result);
        if (again)
            next = array->first;
    }
}

/* The call's first attempt, or one after it was woken. */
k42_result array_try(struct array *array, struct semaphore_call *call) {
    uint32_t at;
    if (call->done || array->ended)
        return call->done ? call->result : -EIDRM;
    list_undo(array, call->undo);
    k42_result result = change_all(array, call, &at);
    if (result != -K42_WAIT) {
        array_take_out(array, call);
        if (result == 0 && helps(array, call))
            array_let_go_on(array);
        return result;
    }
    if (call->waits)
        --*waiting(array, call);
    else
        put_in_list(array, call);
    count(array, call, at);
    return wait_on(array->id, call->number, call->for_zero ? WAIT_WRITE : WAIT_READ);
}

void array_let_all_go(struct array *array) {
    array->ended = true;
    while (array->first)
        finish(array, array->first, -EIDRM);
}
