/*
 * A set of semaphores in an array. See semaphores.h.
 *
 * One lock guards all of it: what changes several at once must see no other change between. How
 * calls change it and wait is in semaphores_change.c.
 *
 * Records of what is to be undone are their processes'. They are in a list here so that setting a
 * semaphore can forget what others have done to it. A record that its process frees was taken out
 * before; when the set has gone nobody looks at the list any more, once he who was active has left.
 *
 * Data: the body. Format: semaphores.array, by pointer. Fails: -ENOMEM when made, -EAGAIN, -ERANGE.
 */
#include "semaphores_array.h"

#include "../../body.h"
#include "../../mem/heap/heap.h"
#include "ipc.h"
#include "runtime.h"
#include "semaphore_undo.h"

#include <errno.h>
#include <linux/sem.h>

#define ARRAY(self) ((struct array *)BODY(self))

static k42_result array_change(struct semaphores *self, struct semaphore_call *call) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    k42_result result = array_try(array, call);
    k42_unlock(&array->lock);
    return result;
}

static k42_result array_give_up(struct semaphores *self, struct semaphore_call *call) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    array_take_out(array, call);
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
}

static k42_result array_set(struct semaphores *self, unsigned which, unsigned value, int pid) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    set_one(array, which, value, pid);
    array_let_go_on(array);
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
    array_let_go_on(array);
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
    array_let_go_on(array);
    k42_unlock(&array->lock);
    return 0;
}

static k42_result array_end(struct semaphores *self) {
    struct array *array = ARRAY(self);
    k42_lock(&array->lock);
    array_let_all_go(array);
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
    .end = array_end,
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
    array->last = &array->first;
    k42_result result = k42_make(&semaphores_array, array, made);
    if (result < 0)
        heap_free(array);
    else
        array->id = k42_ref_id(*made);
    return result;
}
