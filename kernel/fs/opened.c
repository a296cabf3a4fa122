/*
 * What is the same in all open files of nodes: holds, flags, place and offset. See open_file.h.
 *
 * The offset is moved under `moving`, taken without waiting and never spun for: whoever finds it
 * taken waits for a notification of the file with key 0. It is given back before the method
 * returns, by an exchange, so a waiter either sees it free or is in the table by then.
 */
#include "open_file.h"

#include "../sched/wait.h"
#include "file_ends.h"
#include "locks.h"
#include "mount.h"
#include "notify.h"
#include "runtime.h"
#include "values.h"

#include <errno.h>

struct k42_pair opened_make(struct k42_class *class_, size_t size, k42_ref node, unsigned flags,
                            k42_result (*set_up)(struct opened *opened, void *context),
                            void *context) {
    struct opened *opened = k42_platform_alloc(size);
    if (!opened)
        return (struct k42_pair){.result = -ENOMEM};
    opened->node = (node_ref)node;
    opened->holds = 1;
    opened->flags = flags & ~(unsigned)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_NO_TERMINAL |
                                        OPEN_TRUNCATE | OPEN_CLOSE_ON_EXEC | OPEN_UNCLAIMED);
    k42_result result = node ? k42_call(opened->node, hold) : 0;
    if (result < 0) {
        k42_platform_free(opened);
        return (struct k42_pair){.result = result};
    }
    if (set_up)
        result = set_up(opened, context);
    if (result >= 0)
        result = k42_make(class_, opened, &opened->self);
    if (result < 0) {
        if (node)
            (void)k42_call(opened->node, release);
        k42_platform_free(opened);
        return (struct k42_pair){.result = result};
    }
    return (struct k42_pair){0, (uintptr_t)opened->self};
}

k42_result opened_describe(struct k42_object *self, char *text, size_t size) {
    struct opened *opened = OPENED(self);
    return (k42_result)k42_format_text(text, size, "open file, flags %x, offset %ld, %u holds",
                                       opened->flags, opened->offset, opened->holds);
}

k42_result opened_hold(struct file *self) {
    struct opened *opened = OPENED(self);
    uint32_t holds = __atomic_load_n(&opened->holds, __ATOMIC_RELAXED);
    while (holds)
        if (__atomic_compare_exchange_n(&opened->holds, &holds, holds + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return 0;
    return -K42_STALE;
}

void (*file_ends_told)(k42_id file, k42_id node);

k42_result opened_release(struct file *self) {
    struct opened *opened = OPENED(self);
    void (*tell)(k42_id, k42_id) = __atomic_load_n(&file_ends_told, __ATOMIC_RELAXED);
    owner_leave(&opened->owner);
    if (__atomic_sub_fetch(&opened->holds, 1, __ATOMIC_ACQ_REL))
        return 0;
    if (notify_any() && opened->node && !(opened->flags & OPEN_PATH))
        notify_use(opened->node,
                   open_writes(opened->flags) ? NOTIFY_CLOSED_WRITER : NOTIFY_CLOSED_READER);
    wait_hangup(k42_ref_id(opened->self), FILE_ENDS);
    locks_drop(0, k42_ref_id(opened->self));
    if (tell)
        tell(k42_ref_id(opened->self), k42_id_of(opened->node));
    if (opened->ended)
        opened->ended(opened);
    node_ref node = opened->node;
    struct mount *mount = opened->place.mount;
    (void)!k42_destroy(opened->self);
    if (node)
        (void)k42_call(node, release);
    if (mount)
        mount_release(mount);
    return 0;
}

struct k42_pair opened_node(struct file *self) {
    return (struct k42_pair){0, (uintptr_t)OPENED(self)->node};
}

k42_result opened_set_place(struct file *self, struct place *place) {
    struct opened *opened = OPENED(self);
    if (!mount_hold(place->mount))
        return -K42_STALE;
    opened->place = *place;
    return 0;
}

struct k42_pair opened_place(struct file *self) {
    struct opened *opened = OPENED(self);
    return (struct k42_pair){0, opened->place.mount ? (uintptr_t)&opened->place : 0};
}

k42_result opened_flags(struct file *self) {
    return __atomic_load_n(&OPENED(self)->flags, __ATOMIC_RELAXED);
}

k42_result opened_set_flags(struct file *self, unsigned flags) {
    struct opened *opened = OPENED(self);
    uint32_t old = __atomic_load_n(&opened->flags, __ATOMIC_RELAXED), new;
    do
        new = (old & ~(unsigned)OPEN_STATUS) | (flags & OPEN_STATUS);
    while (!__atomic_compare_exchange_n(&opened->flags, &old, new, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    return 0;
}

void opened_fini(struct k42_root *root) {
    k42_platform_free(body_of_root(root));
}

k42_result offset_take(struct opened *opened) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&opened->moving, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(k42_ref_id(opened->self), 0, WAIT_READ);
}

void offset_leave(struct opened *opened) {
    __atomic_exchange_n(&opened->moving, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(k42_ref_id(opened->self), 0, WAIT_READ, 1);
}

k42_result opened_seek(struct file *self, int64_t offset, int whence) {
    struct opened *opened = OPENED(self);
    k42_result result = offset_take(opened);
    if (result < 0)
        return result;
    if (whence == SEEK_TO_CURRENT)
        offset += opened->offset;
    if ((whence != SEEK_TO_START && whence != SEEK_TO_CURRENT) || offset < 0)
        result = -EINVAL;
    else
        result = opened->offset = offset;
    offset_leave(opened);
    return result;
}
