/*
 * The calls of seccomp. See seccomp.h.
 */
#include "seccomp.h"

#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../files/files.h"
#include "../program.h"
#include "filters.h"

#include <k42/k42.h>

/* As programs give it. */
struct given {
    uint16_t length;
    uint64_t program;
};

/* Copied and checked; -EFAULT, -EINVAL, -ENOMEM. */
static k42_result fill(struct call_filter *filter, uintptr_t from) {
    k42_result result =
        program_read(filter->program, from, filter->length * sizeof filter->program[0]);
    if (result < 0)
        return result;
    uint16_t *cells = heap_allocate(filter->length * sizeof *cells);
    if (!cells)
        return -ENOMEM;
    bool sound = filter_is_sound(filter->program, filter->length, cells);
    heap_free(cells);
    return sound ? 0 : -EINVAL;
}

static k42_result read_filter(const struct given *given, struct call_filter **made) {
    size_t bytes = given->length * sizeof(struct sock_filter);
    struct call_filter *filter = heap_allocate_zeroed(sizeof *filter + bytes);
    if (!filter)
        return -ENOMEM;
    filter->references = 1;
    filter->length = given->length;
    k42_result result = fill(filter, given->program);
    if (result < 0)
        heap_free(filter);
    *made = filter;
    return result;
}

/* Takes the filter over. With a listener its descriptor is the result. */
static k42_result add(struct call_filter *filter, unsigned flags) {
    k42_result fd = 0;
    if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
        fd = listener_open(flags, &filter->listener);
    k42_result result = fd < 0 ? fd : filters_add(filter, flags);
    if (result && filter->listener)
        files_take_back((int)fd);
    if (result)
        filters_release(filter);
    return result ? result : fd;
}

static bool flags_fit(unsigned flags) {
    const unsigned known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                           SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |
                           SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    bool listens = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    /* Both a thread's number and a descriptor cannot be the result. */
    bool two_results = listens && (flags & SECCOMP_FILTER_FLAG_TSYNC) &&
                       !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
    bool patient = flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return !(flags & ~known) && !two_results && (listens || !patient);
}

static k42_result set_filter(unsigned flags, uintptr_t from) {
    struct given given;
    struct call_filter *filter;
    if (!flags_fit(flags))
        return -EINVAL;
    k42_result result = program_read(&given, from, sizeof given);
    if (result < 0)
        return result;
    if (!given.length || given.length > FILTER_MOST)
        return -EINVAL;
    if (!task_self()->no_new_privileges && !task_capable(task_self(), CAP_SYS_ADMIN))
        return -EACCES;
    result = read_filter(&given, &filter);
    if (result < 0)
        return result;
    filter->logs = flags & SECCOMP_FILTER_FLAG_LOG;
    return add(filter, flags);
}

static k42_result is_available(uintptr_t from) {
    uint32_t action;
    k42_result result = program_read(&action, from, sizeof action);
    if (result < 0)
        return result;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_USER_NOTIF:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

static k42_result sizes(uintptr_t to) {
    const struct seccomp_notif_sizes sizes = {sizeof(struct seccomp_notif),
                                              sizeof(struct seccomp_notif_resp),
                                              sizeof(struct seccomp_data)};
    return program_write(to, &sizes, sizeof sizes);
}

k42_result seccomp_set_mode(uint64_t mode, uintptr_t program) {
    if (mode == SECCOMP_MODE_STRICT)
        return seccomp_be_strict();
    return mode == SECCOMP_MODE_FILTER ? set_filter(0, program) : -EINVAL;
}

k42_result seccomp_mode(const struct task *task) {
    return task->strict    ? SECCOMP_MODE_STRICT
           : task->filters ? SECCOMP_MODE_FILTER
                           : SECCOMP_MODE_DISABLED;
}

LINUX_CALL(317, seccomp, unsigned operation, unsigned flags, uintptr_t argument) {
    switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || argument ? -EINVAL : seccomp_be_strict();
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(flags, argument);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : is_available(argument);
    case SECCOMP_GET_NOTIF_SIZES:
        return flags ? -EINVAL : sizes(argument);
    default:
        return -EINVAL;
    }
}
