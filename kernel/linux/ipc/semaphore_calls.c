/*
 * semget, semop, semtimedop.
 *
 * A call that waits is in its set's hands: whoever changes that makes the call's changes when they
 * can be made, and who removes it tells those that wait before it goes. A call that gives up takes
 * itself back first, and may find then that it is done.
 */
#include "semaphore_calls.h"

#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../call.h"
#include "../program.h"
#include "../task.h"
#include "semaphore_undo.h"
#include "semaphores.h"

#include <linux/sem.h>

#define FEW 16u /* changes that are on the stack */

struct semaphore_limits semaphore_limits = {SEMMSL, SEMMNS, SEMOPM};
uint32_t semaphore_count;

/* ---- sets ---- */

static k42_result charge(uint32_t count) {
    uint32_t most = __atomic_load_n(&semaphore_limits.in_all, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&semaphore_count, count, __ATOMIC_RELAXED) <= most)
        return 0;
    __atomic_sub_fetch(&semaphore_count, count, __ATOMIC_RELAXED);
    return -ENOSPC;
}

static k42_result make(struct ipc_entry *entry, const struct ipc_request *request) {
    uint32_t count = (uint32_t)request->size;
    k42_result result = count ? charge(count) : -EINVAL;
    if (result < 0)
        return result;
    result = semaphores_make(count, &entry->object);
    if (result < 0)
        __atomic_sub_fetch(&semaphore_count, count, __ATOMIC_RELAXED);
    return result;
}

static void unmake(struct ipc_entry *entry) {
    (void)!k42_destroy(entry->object);
    __atomic_sub_fetch(&semaphore_count, (uint32_t)entry->size, __ATOMIC_RELAXED);
}

struct ipc_table ipc_semaphores = {.make = make, .unmake = unmake, .most = SEMMNI};

bool semaphores_remove(struct ipc_entry *entry) {
    if (!ipc_remove(&ipc_semaphores, entry))
        return false;
    (void)!k42_call((semaphores_ref)entry->object, end);
    unmake(entry);
    for (uint32_t at = 0; at < entry->size; at++)
        wait_hangup(k42_ref_id(entry->object), at);
    return true;
}

LINUX_CALL(64, semget, int key, int count, int flags) {
    struct ipc_request request = {key, flags, (uint64_t)count};
    uint32_t most = __atomic_load_n(&semaphore_limits.in_set, __ATOMIC_RELAXED);
    if (count < 0 || (uint32_t)count > most)
        return -EINVAL;
    k42_result result;
    MEMORY_CALL(result, result = ipc_get(&ipc_semaphores, &request));
    return result;
}

/* ---- changing ---- */

struct operation {
    int set;
    unsigned rights;
    uint32_t highest; /* of the semaphores it means */
    bool undoes;
    semaphores_ref object; /* NULL: not found yet */
    struct semaphore_call call;
};

/* What of the call the set is to say of; the undo record is the same in each attempt. */
static k42_result prepare(struct operation *operation, const struct ipc_entry *entry) {
    if (operation->highest >= entry->size)
        return -EFBIG;
    k42_result result = ipc_allows(entry, operation->rights);
    if (result < 0 || !operation->undoes)
        return result;
    return undo_of(operation->set, (uint32_t)entry->size, &operation->call.undo);
}

static k42_result change_once(struct operation *operation) {
    if (!operation->object) {
        struct ipc_entry *entry = ipc_find(&ipc_semaphores, operation->set);
        k42_result result = entry ? prepare(operation, entry) : -EINVAL;
        if (result < 0)
            return result;
        operation->object = (semaphores_ref)entry->object;
    }
    return k42_call(operation->object, change, &operation->call);
}

static void look_at(struct operation *operation, const struct semaphore_change *changes,
                    uint32_t count) {
    bool alters = false;
    for (uint32_t at = 0; at < count; at++) {
        if (changes[at].number > operation->highest)
            operation->highest = changes[at].number;
        operation->undoes |= (changes[at].flags & SEM_UNDO) != 0;
        alters |= changes[at].by != 0;
    }
    operation->rights = alters ? 0222 : 0444;
}

static k42_result change(int set, const struct semaphore_change *changes, uint32_t count,
                         uint64_t deadline) {
    struct operation operation = {
        .set = set, .call = {.changes = changes, .count = count, .pid = task_self()->pid}};
    look_at(&operation, changes, count);
    k42_result result;
    WAIT_CALL(result, deadline, 0, change_once(&operation));
    if (operation.object) /* a set that has gone has let the call go */
        (void)!k42_call(operation.object, give_up, &operation.call);
    if (__atomic_load_n(&operation.call.done, __ATOMIC_ACQUIRE))
        return operation.call.result;
    if (result == -ETIMEDOUT)
        return -EAGAIN;
    return result == -K42_STALE ? -EIDRM : result;
}

static k42_result change_many(int set, uintptr_t from, uint32_t count, uint64_t deadline) {
    struct semaphore_change few[FEW], *changes = few;
    if (count > FEW)
        changes = heap_allocate(count * sizeof *changes);
    k42_result result = changes ? program_read(changes, from, count * sizeof *changes) : -ENOMEM;
    if (result >= 0)
        result = deadline ? change(set, changes, count, deadline) : -EINVAL;
    if (changes != few)
        heap_free(changes);
    return result;
}

static k42_result check(int set, unsigned count) {
    if (!count || set < 0)
        return -EINVAL;
    return count > __atomic_load_n(&semaphore_limits.in_call, __ATOMIC_RELAXED) ? -E2BIG : 0;
}

LINUX_CALL(65, semop, int set, uintptr_t from, unsigned count) {
    k42_result result = check(set, count);
    return result < 0 ? result : change_many(set, from, count, WAIT_FOREVER);
}

/* 0: it is none. */
static uint64_t deadline_in(const struct __kernel_timespec *time) {
    uint64_t now = time_ns();
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= 1000000000)
        return 0;
    if ((uint64_t)time->tv_sec > (WAIT_FOREVER - now) / 1000000000 - 1)
        return WAIT_FOREVER;
    return now + (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

LINUX_CALL(220, semtimedop, int set, uintptr_t from, unsigned count, uintptr_t time_at) {
    struct __kernel_timespec time;
    k42_result result = time_at ? program_read(&time, time_at, sizeof time) : 0;
    if (result >= 0)
        result = check(set, count);
    if (result < 0)
        return result;
    return change_many(set, from, count, time_at ? deadline_in(&time) : WAIT_FOREVER);
}
