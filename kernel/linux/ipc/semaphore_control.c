/*
 * semctl: what is told of sets of semaphores, and what may be set of them.
 */
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../program.h"
#include "../task.h"
#include "semaphore_calls.h"
#include "semaphores.h"

#include <linux/sem.h>

static semaphores_ref object_of(const struct ipc_entry *entry) {
    return (semaphores_ref)entry->object;
}

static void note_change(struct ipc_entry *entry) {
    __atomic_store_n(&entry->changed, ipc_now(), __ATOMIC_RELAXED);
}

/* ---- of the set ---- */

static k42_result tell(int id, int command, uintptr_t to) {
    struct ipc_entry *entry =
        command == IPC_STAT ? ipc_find(&ipc_semaphores, id) : ipc_at(&ipc_semaphores, (uint32_t)id);
    k42_result result = entry ? 0 : -EINVAL;
    if (entry && command != SEM_STAT_ANY)
        result = ipc_allows(entry, 0444);
    if (result >= 0)
        result = k42_call(object_of(entry), changed);
    if (result < 0)
        return result == -K42_STALE ? -EIDRM : result;
    struct semid64_ds text = {.sem_otime = result,
                              .sem_ctime = __atomic_load_n(&entry->changed, __ATOMIC_RELAXED),
                              .sem_nsems = entry->size};
    ipc_tell(entry, &text.sem_perm);
    int number = command == IPC_STAT ? 0 : entry->id;
    result = program_write(to, &text, sizeof text);
    return result < 0 ? result : number;
}

static k42_result tell_limits(int command, uintptr_t to) {
    struct seminfo limits = {
        .semmap = SEMMAP,
        .semmni = (int)__atomic_load_n(&ipc_semaphores.most, __ATOMIC_RELAXED),
        .semmns = (int)__atomic_load_n(&semaphore_limits.in_all, __ATOMIC_RELAXED),
        .semmnu = SEMMNU,
        .semmsl = (int)__atomic_load_n(&semaphore_limits.in_set, __ATOMIC_RELAXED),
        .semopm = (int)__atomic_load_n(&semaphore_limits.in_call, __ATOMIC_RELAXED),
        .semume = SEMUME,
        .semusz = SEMUSZ,
        .semvmx = SEMAPHORE_MOST,
        .semaem = SEMAPHORE_MOST};
    if (command == SEM_INFO) {
        limits.semusz = (int)__atomic_load_n(&ipc_semaphores.count, __ATOMIC_RELAXED);
        limits.semaem = (int)__atomic_load_n(&semaphore_count, __ATOMIC_RELAXED);
    }
    k42_result result = program_write(to, &limits, sizeof limits);
    return result < 0 ? result : ipc_highest(&ipc_semaphores);
}

static k42_result set_owner(int id, uintptr_t from) {
    struct semid64_ds wanted;
    k42_result result = program_read(&wanted, from, sizeof wanted);
    if (result < 0)
        return result;
    struct ipc_entry *entry = ipc_find(&ipc_semaphores, id);
    result = entry ? ipc_is_own(entry) : -EINVAL;
    return result < 0 ? result : ipc_set(entry, &wanted.sem_perm);
}

static k42_result remove(int id) {
    struct ipc_entry *entry = ipc_find(&ipc_semaphores, id);
    k42_result result = entry ? ipc_is_own(entry) : -EINVAL;
    if (result < 0)
        return result;
    return semaphores_remove(entry) ? 0 : -EIDRM;
}

/* ---- of semaphores ---- */

static k42_result set_value(int id, int number, int value) {
    if (value < 0 || value > SEMAPHORE_MOST)
        return -ERANGE;
    struct ipc_entry *entry = ipc_find(&ipc_semaphores, id);
    if (!entry || number < 0 || (uint32_t)number >= entry->size)
        return -EINVAL;
    k42_result result = ipc_allows(entry, 0222);
    if (result >= 0)
        result =
            k42_call(object_of(entry), set, (unsigned)number, (unsigned)value, task_self()->pid);
    if (result >= 0)
        note_change(entry);
    return result == -K42_STALE ? -EIDRM : result;
}

static k42_result tell_number(int id, int number, enum semaphore_number what) {
    struct ipc_entry *entry = ipc_find(&ipc_semaphores, id);
    k42_result result = entry ? ipc_allows(entry, 0444) : -EINVAL;
    if (result < 0)
        return result;
    if (number < 0 || (uint32_t)number >= entry->size)
        return -EINVAL;
    result = k42_call(object_of(entry), number, (unsigned)number, what);
    return result == -K42_STALE ? -EIDRM : result;
}

static k42_result tell_values(struct ipc_entry *entry, uint16_t *values, uintptr_t to) {
    size_t size = entry->size * sizeof *values;
    k42_result result = k42_call(object_of(entry), values, values, size);
    return result < 0 ? result : program_write(to, values, size);
}

/* Reading them may wait for a page, and end with the set gone. */
static k42_result set_values(struct ipc_entry *entry, uint16_t *values, uintptr_t from) {
    uint64_t count = entry->size;
    int id = entry->id;
    k42_result result = program_read(values, from, count * sizeof *values);
    for (uint64_t at = 0; at < count && result >= 0; at++)
        if (values[at] > SEMAPHORE_MOST)
            result = -ERANGE;
    if (result < 0)
        return result;
    entry = ipc_find(&ipc_semaphores, id);
    if (!entry)
        return -EIDRM;
    result = k42_call(object_of(entry), set_all, values, count * sizeof *values, task_self()->pid);
    if (result >= 0)
        note_change(entry);
    return result;
}

static k42_result all_values(int id, bool set, uintptr_t at) {
    struct ipc_entry *entry = ipc_find(&ipc_semaphores, id);
    k42_result result = entry ? ipc_allows(entry, set ? 0222 : 0444) : -EINVAL;
    if (result < 0)
        return result;
    uint16_t *values = heap_allocate(entry->size * sizeof *values);
    if (!values)
        return -ENOMEM;
    result = set ? set_values(entry, values, at) : tell_values(entry, values, at);
    heap_free(values);
    return result == -K42_STALE ? -EIDRM : result;
}

LINUX_CALL(66, semctl, int id, int number, int command, uintptr_t argument) {
    if (id < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
    case SEM_INFO:
        return tell_limits(command, argument);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return tell(id, command, argument);
    case IPC_SET:
        return set_owner(id, argument);
    case IPC_RMID:
        return remove(id);
    case SETVAL:
        return set_value(id, number, (int)argument);
    case GETVAL:
        return tell_number(id, number, SEMAPHORE_VALUE);
    case GETPID:
        return tell_number(id, number, SEMAPHORE_PID);
    case GETNCNT:
        return tell_number(id, number, SEMAPHORE_MORE);
    case GETZCNT:
        return tell_number(id, number, SEMAPHORE_ZERO);
    case GETALL:
    case SETALL:
        return all_values(id, command == SETALL, argument);
    default:
        return -EINVAL;
    }
}
