/*
 * process_madvise: advice about another process's memory, by its descriptor; process_mrelease:
 * its memory is wanted back, since it was killed.
 *
 * The other's space is found anew in each attempt, as in others_memory.c. No state.
 */
#include "../abi.h"
#include "../events/process_file.h"
#include "../files/files.h"
#include "../memory_calls.h"
#include "../whom.h"

#include <k42/k42.h>

/* The memory of a descriptor's process. It lasts while the caller is active. -EBADF, -ESRCH. */
static k42_result memory_of(int fd, const struct task **task, struct task_memory **memory) {
    struct process_info info;
    process_ref process;
    k42_result result = process_file_get(fd, &process, &info);
    if (result < 0)
        return result;
    struct k42_pair found = k42_call(process, thread, 0, 1);
    *task = (const struct task *)found.word;
    *memory = found.result < 0 ? NULL : __atomic_load_n(&(*task)->memory, __ATOMIC_ACQUIRE);
    return *memory ? 0 : -ESRCH;
}

/* Whether the caller may advise it. */
static k42_result may_advise(int fd) {
    const struct task *task;
    struct task_memory *memory;
    k42_result result = memory_of(fd, &task, &memory);
    if (result < 0 || task->pid == task_self()->pid)
        return result;
    if (!whom_may_trace(task))
        return -EACCES;
    return task_capable(task_self(), CAP_SYS_NICE) ? 0 : -EPERM;
}

/* All of it is to be mapped, though what is has been advised. */
static k42_result advise_now(space_ref space, uintptr_t address, size_t length, int advice) {
    k42_result result = k42_call(space, advise, address, length, advice);
    for (uintptr_t at = address, end = address + length; result >= 0 && at < end;) {
        struct space_mapping mapping;
        if (k42_call(space, find, at, 0, &mapping) < 0 || mapping.start > at)
            return -ENOMEM;
        at = mapping.end;
    }
    return result;
}

static k42_result advise_once(int fd, uintptr_t address, size_t length, int advice) {
    const struct task *task;
    struct task_memory *memory;
    k42_result result = memory_of(fd, &task, &memory);
    if (result >= 0)
        result = advise_now(memory->space, address, length, advice);
    return result == -K42_STALE ? -ESRCH : result;
}

static k42_result advise_range(int fd, const struct copy_range *range, int advice) {
    size_t pages = memory_whole_pages(range->length);
    k42_result result = 0;
    if (!memory_is_page(range->start) || (range->length && !pages))
        return -EINVAL;
    if (range->start > USER_END - pages)
        return -ENOMEM;
    if (pages)
        WAIT_CALL(result, WAIT_FOREVER, 0, advise_once(fd, range->start, pages, advice));
    return linux_result(result, -ESRCH);
}

/* How many bytes were advised, up to the first range that could not be. */
static k42_result advise_all(int fd, const struct files_vectors *ranges, int advice) {
    k42_result result = 0, done = 0;
    for (size_t n = 0; n < ranges->count && result >= 0; n++) {
        result = advise_range(fd, &ranges->at[n], advice);
        done += result < 0 ? 0 : (k42_result)ranges->at[n].length;
        k42_safe_point();
    }
    return done ? done : result;
}

/* Partly: nothing is made one large page. */
LINUX_CALL(440, process_madvise, int fd, uintptr_t ranges_at, size_t count, int advice,
           unsigned flags) {
    struct files_vectors ranges;
    struct process_info info;
    process_ref process;
    if (flags)
        return -EINVAL;
    k42_result result = files_vectors_get(&ranges, ranges_at, (unsigned)count);
    if (result < 0)
        return result;
    result = process_file_get(fd, &process, &info);
    if (result >= 0 && advice != MADV_COLD && advice != MADV_PAGEOUT && advice != MADV_WILLNEED)
        result = -EINVAL;
    if (result >= 0)
        result = may_advise(fd);
    if (result >= 0)
        result = advise_all(fd, &ranges, advice);
    files_vectors_end(&ranges);
    return result;
}

/* What is killed gives its memory up by itself, and at once. */
LINUX_CALL(448, process_mrelease, int fd, unsigned flags) {
    const struct task *task;
    struct task_memory *memory;
    struct process_info info;
    process_ref process;
    if (flags)
        return -EINVAL;
    k42_result result = memory_of(fd, &task, &memory);
    if (result >= 0)
        result = process_file_get(fd, &process, &info);
    return result < 0 ? result : info.ending ? 0 : -EINVAL;
}
