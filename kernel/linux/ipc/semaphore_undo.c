/*
 * What is to be undone when a process ends. See semaphore_undo.h.
 *
 * A list's lock, leaf, for its table; its users are counted by atomic operations. A record is made
 * by the first call of its list that wants one, and freed when the list ends: a grace period later,
 * since somebody may be looking through the records of its set, if that is gone.
 */
#include "semaphore_undo.h"

#include "../../mem/heap/heap.h"
#include "../task.h"
#include "ipc.h"
#include "semaphore_calls.h"
#include "semaphores.h"

#include <errno.h>

struct undo_list {
    uint32_t references;
    struct k42_lock lock;
    struct number_table records;
};

static struct undo_list *own_list(void) {
    struct task *task = task_self();
    if (!task->undo) {
        task->undo = heap_allocate_zeroed(sizeof *task->undo);
        if (task->undo)
            task->undo->references = 1;
    }
    return task->undo;
}

struct undo_list *undo_list_share(void) {
    struct undo_list *list = own_list();
    if (list)
        __atomic_fetch_add(&list->references, 1, __ATOMIC_RELAXED);
    return list;
}

/* ---- records ---- */

static struct semaphore_undo *record_of(struct number_entry *entry) {
    return entry ? k42_container(entry, struct semaphore_undo, in_list) : NULL;
}

static uint32_t place_of(int set) {
    return (uint32_t)set % IPC_PLACES;
}

/* Of one place may have had several sets. With the lock. */
static struct semaphore_undo *find(const struct undo_list *list, int set) {
    struct number_entry *entry = number_table_find(&list->records, place_of(set));
    while (entry && record_of(entry)->set != set)
        entry = entry->next;
    return record_of(entry);
}

static struct semaphore_undo *make(int set, uint32_t count) {
    struct semaphore_undo *undo = heap_allocate_zeroed(sizeof *undo + count * sizeof undo->by[0]);
    if (!undo)
        return NULL;
    undo->set = set;
    undo->in_list.number = place_of(set);
    return undo;
}

k42_result undo_of(int set, uint32_t count, struct semaphore_undo **undo) {
    struct undo_list *list = own_list();
    if (!list)
        return -ENOMEM;
    k42_lock(&list->lock);
    *undo = find(list, set);
    if (!*undo && (*undo = make(set, count)) &&
        number_table_add(&list->records, &(*undo)->in_list) < 0) {
        heap_free(*undo);
        *undo = NULL;
    }
    k42_unlock(&list->lock);
    return *undo ? 0 : -ENOMEM;
}

/* ---- the end ---- */

static void record_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct semaphore_undo, defer));
}

static void undo_record(struct number_entry *entry) {
    struct semaphore_undo *undo = record_of(entry);
    struct ipc_entry *set = ipc_find(&ipc_semaphores, undo->set);
    if (set)
        (void)!k42_call((semaphores_ref)set->object, undo, undo, task_self()->pid);
    k42_defer(&undo->defer, record_free);
}

void undo_list_release(struct undo_list *list) {
    if (!list || __atomic_sub_fetch(&list->references, 1, __ATOMIC_ACQ_REL))
        return;
    number_table_end(&list->records, undo_record);
    heap_free(list);
}
