/*
 * A set of semaphores in an array. See semaphores.h.
 *
 * One lock guards all of it: what changes several at once must see no other change between. Who
 * waits is in the table of all waiters, at the semaphore that was in his way, and counted there by
 * himself: his next attempt, or his giving up, counts him back first.
 *
 * Records of what is to be undone are their processes'. They are in a list here so that setting a
 * semaphore can forget what others have done to it. A record that its process frees was taken out
 * before; when the set has gone nobody looks at the list any more, once he who was active has left.
 *
 * Data: the body. Format: semaphores.array, by pointer. Fails: -ENOMEM when made, -EAGAIN, -ERANGE.
 */
#include "semaphores.h"

#include "../../body.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "ipc.h"
#include "runtime.h"
#include "semaphore_undo.h"

#include <errno.h>
#include <linux/sem.h>

struct semaphore {
    int32_t value, pid;
    uint32_t wait_more, wait_zero;
};

struct array {
    k42_id id; /* where it is waited for */
    uint32_t count;
    struct k42_lock lock;
    int64_t changed;
    struct semaphore_undo *undos;
    struct semaphore each[];
};

#define ARRAY(self) ((struct array *)BODY(self))

static uint32_t *waiting(struct array *array, const struct semaphore_call *call) {
    struct semaphore *semaphore = &array->each[call->number];
    return call->for_zero ? &semaphore->wait_zero : &semaphore->wait_more;
}

static void count_back(struct array *array, struct semaphore_call *call) {
    if (call->waits)
        --*waiting(array, call);
    call->waits = false;
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

static k42_result wait_for(struct array *array, struct semaphore_call *call, uint32_t at) {
    const struct semaphore_change *change = &call->changes[at];
    if (change->flags & IPC_NOWAIT)
        return -EAGAIN;
    call->number = change->number;
    call->for_zero = !change->by;
    call->waits = true;
    ++*waiting(array, call);
    return wait_on(array->id, change->number, change->by ? WAIT_READ : WAIT_WRITE);
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

static k42_result change_all(struct array *array, struct semaphore_call *call) {
    count_back(array, call);
    list_undo(array, call->undo);
    for (uint32_t at = 0; at < call->count; at++) {
        k42_result result = change_one(array, call, &call->changes[at]);
        if (result < 0) {
            take_back(array, call, at);
            return result == -K42_WAIT ? wait_for(array, call, at) : result;
        }
    }
    for (uint32_t at = 0; at < call->count; at++)
        array->each[call->changes[at].number].pid = call->pid;
    array->changed = ipc_now();
    return 0;
}

/* Whoever it lets go on may need several semaphores: so all are told, and try. */
static void tell(const struct array *array, unsigned number, bool more) {
    uint32_t events = more ? WAIT_READ : 0;
    if (!array->each[number].value)
        events |= WAIT_WRITE;
    if (events)
        (void)!wait_notify(array->id, number, events, WAIT_ALL);
}

static k42_result array_change(struct semaphores *self, struct semaphore_call *call) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    k42_result result = change_all(array, call);
    for (uint32_t at = 0; result == 0 && at < call->count; at++)
        if (call->changes[at].by)
            tell(array, call->changes[at].number, call->changes[at].by > 0);
    k42_unlock(&array->lock);
    return result;
}

static k42_result array_give_up(struct semaphores *self, struct semaphore_call *call) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    count_back(array, call);
    k42_unlock(&array->lock);
    return 0;
}

/* ---- looking and setting ---- */

static k42_result number_of(const struct semaphore *semaphore, enum semaphore_number what) {
    switch (what) {
    case SEMAPHORE_VALUE:
        return semaphore->value;
    case SEMAPHORE_PID:
        return semaphore->pid;
    case SEMAPHORE_MORE:
        return semaphore->wait_more;
    default:
        return semaphore->wait_zero;
    }
}

static k42_result array_number(struct semaphores *self, unsigned which,
                               enum semaphore_number what) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    k42_result result = number_of(&array->each[which], what);
    k42_unlock(&array->lock);
    return result;
}

static void set_one(struct array *array, unsigned which, unsigned value, int pid) {
    for (struct semaphore_undo *undo = array->undos; undo; undo = undo->next)
        undo->by[which] = 0;
    array->each[which].value = (int32_t)value;
    array->each[which].pid = pid;
    tell(array, which, value);
}

static k42_result array_set(struct semaphores *self, unsigned which, unsigned value, int pid) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    set_one(array, which, value, pid);
    k42_unlock(&array->lock);
    return 0;
}

static k42_result array_values(struct semaphores *self, uint16_t *values, size_t size) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    for (size_t at = 0; at < size / sizeof *values; at++)
        values[at] = (uint16_t)array->each[at].value;
    k42_unlock(&array->lock);
    return 0;
}

static k42_result array_set_all(struct semaphores *self, const uint16_t *values, size_t size,
                                int pid) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    for (size_t at = 0; at < size / sizeof *values; at++)
        set_one(array, (unsigned)at, values[at], pid);
    k42_unlock(&array->lock);
    return 0;
}

static k42_result array_changed(struct semaphores *self) {
    return __atomic_load_n(&ARRAY(self)->changed, __ATOMIC_RELAXED);
}

/* ---- undoing ---- */

static void undo_one(struct array *array, unsigned which, int by, int pid) {
    struct semaphore *semaphore = &array->each[which];
    int32_t value = semaphore->value + by;
    value = value < 0 ? 0 : value;
    semaphore->value = value > SEMAPHORE_MOST ? SEMAPHORE_MOST : value;
    semaphore->pid = pid;
    tell(array, which, by > 0);
}

static k42_result array_undo(struct semaphores *self, struct semaphore_undo *undo, int pid) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    if (undo->listed) {
        *(undo->before ? &undo->before->next : &array->undos) = undo->next;
        if (undo->next)
            undo->next->before = undo->before;
    }
    undo->listed = false;
    for (unsigned which = 0; which < array->count; which++)
        if (undo->by[which])
            undo_one(array, which, undo->by[which], pid);
    array->changed = ipc_now();
    k42_unlock(&array->lock);
    return 0;
}

/* ---- the class ---- */

static k42_result array_describe(struct k42_object *self, char *text, size_t size) {
    return (k42_result)k42_format_text(text, size, "%u semaphores", ARRAY(self)->count);
}

static void array_fini(struct k42_root *root) {
    heap_free(body_of_root(root));
}

static const struct semaphores_ops array_ops = {
    .object.describe = array_describe,
    .change = array_change,
    .give_up = array_give_up,
    .number = array_number,
    .set = array_set,
    .values = array_values,
    .set_all = array_set_all,
    .undo = array_undo,
    .changed = array_changed,
};

static const struct k42_format array_format = {"semaphores.array", 1, 1};
static const struct k42_transfer array_transfers[] = BODY_TRANSFERS(array_format);

K42_CLASS(semaphores_array) = {
    .name = "semaphores.array",
    .interface = &semaphores_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &array_ops,
    .fini = array_fini,
    .transfers = array_transfers,
};

k42_result semaphores_make(uint32_t count, k42_ref *made) {
    struct array *array = heap_allocate_zeroed(sizeof *array + count * sizeof array->each[0]);
    if (!array)
        return -ENOMEM;
    array->count = count;
    k42_result result = k42_make(&semaphores_array, array, made);
    if (result < 0)
        heap_free(array);
    else
        array->id = k42_ref_id(*made);
    return result;
}
