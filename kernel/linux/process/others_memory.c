/*
 * process_vm_readv and process_vm_writev: bytes between the caller's memory and another program's.
 *
 * The other's space is found anew in each attempt, since waiting for a page lets it end or run
 * another program meanwhile; then what was done is the answer.
 *
 * Any call's thread; holds nothing while it waits.
 */
#include "../abi.h"
#include "../files/files.h"
#include "../whom.h"

#include <k42/k42.h>

static k42_result move_once(int tid, uintptr_t address, struct copy *copy, bool write) {
    const struct task *task = tid > 0 ? whom_thread(tid) : NULL;
    const struct task_memory *memory =
        task ? __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE) : NULL;
    if (!memory)
        return -ESRCH;
    if (!whom_may_trace(task))
        return -EPERM;
    k42_result result = write ? k42_call(memory->space, poke, address, copy, 0)
                              : k42_call(memory->space, peek, address, copy);
    return result == -K42_STALE ? -ESRCH : result;
}

/* One range of the other's. Fewer bytes than it has: something stopped it, and *error says what. */
static size_t move_range(int tid, const struct copy_range *range, struct copy *copy, bool write,
                         k42_result *error) {
    size_t rest = copy_cut(copy, range->length), done = 0;
    k42_result result = 0;
    while (copy->left && result >= 0) {
        WAIT_CALL(result, WAIT_FOREVER, 0, move_once(tid, range->start + done, copy, write));
        done += result > 0 ? (size_t)result : 0;
        k42_safe_point();
    }
    *error = linux_result(result < 0 ? result : 0, -ESRCH);
    copy_uncut(copy, rest);
    return done;
}

static k42_result move_all(int tid, const struct files_vectors *own,
                           const struct files_vectors *its, bool write) {
    struct copy copy = copy_of_ranges(own->at, own->total, true);
    k42_result error = 0;
    size_t done = 0;
    for (size_t n = 0; n < its->count && copy.left && error >= 0; n++)
        done += its->at[n].length ? move_range(tid, &its->at[n], &copy, write, &error) : 0;
    return done ? (k42_result)done : error;
}

static k42_result process_vm(int tid, uintptr_t own_at, size_t own_count, uintptr_t its_at,
                             size_t its_count, unsigned long flags, bool write) {
    struct files_vectors own, its;
    if (flags)
        return -EINVAL;
    k42_result result = files_vectors_get(&own, own_at, (unsigned)own_count);
    if (result < 0)
        return result;
    bool none = !own.total; /* then what is the other's is not looked at */
    result = none ? 0 : files_vectors_get(&its, its_at, its_count);
    if (result >= 0 && !none) {
        result = its.total ? move_all(tid, &own, &its, write) : 0;
        files_vectors_end(&its);
    }
    files_vectors_end(&own);
    return result;
}

LINUX_CALL(310, process_vm_readv, int tid, uintptr_t own, size_t own_count, uintptr_t its,
           size_t its_count, unsigned long flags) {
    return process_vm(tid, own, own_count, its, its_count, flags, false);
}

LINUX_CALL(311, process_vm_writev, int tid, uintptr_t own, size_t own_count, uintptr_t its,
           size_t its_count, unsigned long flags) {
    return process_vm(tid, own, own_count, its, its_count, flags, true);
}
