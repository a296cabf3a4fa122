/*
 * shmctl: what is told of segments of shared memory, and what may be set of them.
 *
 * Pages of segments never leave memory, so locking one is a note about it.
 */
#include "segment.h"

#include "../abi.h"
#include "../program.h"
#include "../task.h"

#include <linux/shm.h>

/* Bits of a segment's mode. */
enum { MODE_DOOMED = 01000, MODE_LOCKED = 02000 };

static k42_result describe(struct ipc_entry *entry, struct shmid64_ds *text) {
    struct segment_told told;
    if (segment_tell(entry, &told) < 0)
        return -EIDRM;
    *text = (struct shmid64_ds){.shm_segsz = entry->size,
                                .shm_atime = told.attached_at,
                                .shm_dtime = told.detached_at,
                                .shm_ctime = __atomic_load_n(&entry->changed, __ATOMIC_RELAXED),
                                .shm_cpid = told.creator,
                                .shm_lpid = told.last,
                                .shm_nattch = told.attached};
    ipc_tell(entry, &text->shm_perm);
    return 0;
}

static k42_result tell(int id, int command, uintptr_t to) {
    struct shmid64_ds text;
    struct ipc_entry *entry =
        command == IPC_STAT ? ipc_find(&ipc_segments, id) : ipc_at(&ipc_segments, (uint32_t)id);
    k42_result result = entry ? 0 : -EINVAL;
    if (entry && command != SHM_STAT_ANY)
        result = ipc_allows(entry, 0444);
    if (result >= 0)
        result = describe(entry, &text);
    int number = result < 0 || command == IPC_STAT ? 0 : entry->id;
    if (result >= 0)
        result = program_write(to, &text, sizeof text);
    return result < 0 ? result : number;
}

static k42_result tell_limits(uintptr_t to) {
    uint32_t most = __atomic_load_n(&ipc_segments.most, __ATOMIC_RELAXED);
    struct shminfo64 limits = {.shmmax = __atomic_load_n(&segment_limits.bytes, __ATOMIC_RELAXED),
                               .shmmin = SHMMIN,
                               .shmmni = most,
                               .shmseg = most,
                               .shmall = __atomic_load_n(&segment_limits.pages, __ATOMIC_RELAXED)};
    k42_result result = program_write(to, &limits, sizeof limits);
    return result < 0 ? result : ipc_highest(&ipc_segments);
}

static k42_result tell_all(uintptr_t to) {
    struct shm_info all = {.used_ids = (int)__atomic_load_n(&ipc_segments.count, __ATOMIC_RELAXED),
                           .shm_tot = __atomic_load_n(&segment_pages, __ATOMIC_RELAXED)};
    struct segment_told told;
    struct ipc_entry *entry;
    for (uint32_t place = 0; (entry = ipc_next(&ipc_segments, &place)); place++)
        if (segment_tell(entry, &told) >= 0)
            all.shm_rss += told.present;
    k42_result result = program_write(to, &all, sizeof all);
    return result < 0 ? result : ipc_highest(&ipc_segments);
}

static k42_result set(int id, uintptr_t from) {
    struct shmid64_ds wanted;
    k42_result result = program_read(&wanted, from, sizeof wanted);
    if (result < 0)
        return result;
    struct ipc_entry *entry = ipc_find(&ipc_segments, id);
    result = entry ? ipc_is_own(entry) : -EINVAL;
    return result < 0 ? result : ipc_set(entry, &wanted.shm_perm);
}

/* While something has it attached it has a number, and can be attached, but has no key. */
static k42_result remove(int id) {
    struct ipc_entry *entry = ipc_find(&ipc_segments, id);
    k42_result result = entry ? ipc_is_own(entry) : -EINVAL;
    if (result < 0)
        return result;
    ipc_set_mode(entry, MODE_DOOMED, 0);
    ipc_hide(&ipc_segments, entry);
    segment_doom(entry);
    return 0;
}

static k42_result may_lock(const struct ipc_entry *entry, bool lock) {
    uint64_t limit = task_limit(task_self(), RLIMIT_MEMLOCK);
    if (task_capable(task_self(), CAP_IPC_LOCK))
        return 0;
    if (!ipc_of_caller(entry) || (lock && !limit))
        return -EPERM;
    return lock && entry->size > limit ? -ENOMEM : 0;
}

static k42_result set_locked(int id, bool lock) {
    struct ipc_entry *entry = ipc_find(&ipc_segments, id);
    k42_result result = entry ? may_lock(entry, lock) : -EINVAL;
    if (result >= 0)
        ipc_set_mode(entry, lock ? MODE_LOCKED : 0, lock ? 0 : MODE_LOCKED);
    return result;
}

LINUX_CALL(31, shmctl, int id, int command, uintptr_t buffer) {
    if (id < 0 || command < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
        return tell_limits(buffer);
    case SHM_INFO:
        return tell_all(buffer);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return tell(id, command, buffer);
    case IPC_SET:
        return set(id, buffer);
    case IPC_RMID:
        return remove(id);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return set_locked(id, command == SHM_LOCK);
    default:
        return -EINVAL;
    }
}
