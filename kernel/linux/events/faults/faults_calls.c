/*
 * userfaultfd and its ioctls. See faults.h.
 *
 * What may be watched is memory that nothing but the program or others' programs write: of its own,
 * shared, or a file's that is in memory alone. Of what Linux has there are missing pages; writing
 * is not watched, nor pages that an object has and the program lacks, nor is the file told of forks
 * and of changes of what is mapped.
 *
 * State: who may do it without a right, one word for the machine.
 */
#include "../../../fs/file.h"
#include "../../../fs/procfs/procfs.h"
#include "../../../fs/values.h"
#include "../../abi.h"
#include "../../call.h"
#include "../../files/files.h"
#include "../../memory_calls.h"
#include "../../proc/proc.h"
#include "faults.h"
#include "runtime.h"

#include <k42/k42.h>

static uint32_t anybody; /* vm.unprivileged_userfaultfd */

k42_result faults_check_range(uint64_t start, uint64_t length, struct faults_range *range) {
    *range = (struct faults_range){start, start + length};
    bool outside = start < SPACE_LOWEST || start >= USER_END || length > USER_END - start;
    return !memory_is_page(start) || !memory_is_page(length) || !length || outside ? -EINVAL : 0;
}

/* ---- UFFDIO_API ---- */

/* What was asked for is said to be nothing, when there is not all of it. */
static k42_result refuse(uintptr_t argument, k42_result why) {
    static const struct uffdio_api nothing;
    k42_result result = files_copy_out(argument, &nothing, sizeof nothing);
    return result < 0 ? result : why;
}

static k42_result begin(struct faults *faults, uintptr_t argument) {
    struct uffdio_api api;
    uint64_t none = 0;
    k42_result result = files_copy_in(&api, argument, sizeof api);
    if (result < 0)
        return result;
    if (api.api != UFFD_API || api.features & ~(uint64_t)FEATURES_KNOWN)
        return refuse(argument, -EINVAL);
    uint64_t features = api.features | FEATURES_SET;
    api.features = FEATURES_KNOWN;
    api.ioctls = UFFD_API_IOCTLS;
    result = files_copy_out(argument, &api, sizeof api);
    if (result >= 0 && !__atomic_compare_exchange_n(&faults->features, &none, features, false,
                                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return refuse(argument, -EINVAL);
    return result;
}

/* ---- what is watched ---- */

#define RANGE_IOCTLS                                                                               \
    ((uint64_t)1 << _UFFDIO_WAKE | (uint64_t)1 << _UFFDIO_COPY | (uint64_t)1 << _UFFDIO_ZEROPAGE)

/* Its object, if it has one, is of a class that keeps all there is of it. */
static bool is_memory(const struct space_mapping *mapping) {
    struct k42_object_info info;
    if (mapping->fcm == K42_NULL_REF)
        return true;
    return k42_inspect(mapping->fcm, &info) >= 0 &&
           (k42_text_equal(info.class_name, "fcm.pinned") ||
            k42_text_equal(info.class_name, "fcm.ramfs"));
}

/* -EINVAL: some of it cannot be watched; -EPERM: not by the caller. */
static k42_result check_mappings(space_ref space, const struct faults_range *range) {
    struct space_mapping mapping = {.end = range->start};
    k42_result result = 0;
    while (result >= 0 && mapping.end < range->end) {
        result = k42_call(space, find, mapping.end, 0, &mapping);
        if (result < 0 || mapping.start >= range->end)
            break; /* what space.watch() says of that is Linux's answer */
        if (!is_memory(&mapping))
            return -EINVAL;
        if (!(mapping.most & SPACE_WRITE))
            return -EPERM;
    }
    return 0;
}

static k42_result watch_once(const struct faults *faults, const struct faults_range *range,
                             k42_ref watcher) {
    if (!faults_reach(faults))
        return -ENOMEM;
    k42_result result = check_mappings(faults->space, range);
    return result < 0
               ? result
               : k42_call(faults->space, watch, range->start, range->end - range->start, watcher);
}

static k42_result watch(const struct faults *faults, const struct faults_range *range,
                        k42_ref watcher) {
    k42_result result;
    MEMORY_CALL(result,
                WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, watch_once(faults, range, watcher)));
    return result == -K42_STALE ? -ENOMEM : result;
}

static k42_result register_range(struct faults *faults, uintptr_t argument) {
    struct uffdio_register what;
    struct faults_range range;
    uint64_t ioctls = RANGE_IOCTLS;
    k42_result result = files_copy_in(&what, argument, offsetof(struct uffdio_register, ioctls));
    if (result >= 0 && what.mode != UFFDIO_REGISTER_MODE_MISSING)
        result = -EINVAL;
    if (result >= 0)
        result = faults_check_range(what.range.start, what.range.len, &range);
    if (result >= 0)
        result = watch(faults, &range, faults->opened.self);
    return result < 0 ? result
                      : files_copy_out(argument + offsetof(struct uffdio_register, ioctls), &ioctls,
                                       sizeof ioctls);
}

static k42_result read_range(uintptr_t argument, struct faults_range *range) {
    struct uffdio_range what;
    k42_result result = files_copy_in(&what, argument, sizeof what);
    return result < 0 ? result : faults_check_range(what.start, what.len, range);
}

static k42_result unregister_range(struct faults *faults, uintptr_t argument) {
    struct faults_range range;
    k42_result result = read_range(argument, &range);
    if (result >= 0)
        result = watch(faults, &range, K42_NULL_REF);
    if (result >= 0)
        faults_wake(faults, &range, false);
    return result;
}

static k42_result wake_range(struct faults *faults, uintptr_t argument) {
    struct faults_range range;
    k42_result result = read_range(argument, &range);
    if (result >= 0)
        faults_wake(faults, &range, false);
    return result;
}

static k42_result control(struct faults *faults, unsigned request, uintptr_t argument) {
    if (request == UFFDIO_API)
        return begin(faults, argument);
    if (!faults_features(faults))
        return -EINVAL;
    switch (request) {
    case UFFDIO_REGISTER:
        return register_range(faults, argument);
    case UFFDIO_UNREGISTER:
        return unregister_range(faults, argument);
    case UFFDIO_WAKE:
        return wake_range(faults, argument);
    case UFFDIO_COPY:
        return faults_copy(faults, argument);
    case UFFDIO_ZEROPAGE:
        return faults_zero(faults, argument);
    default:
        return -EINVAL;
    }
}

/* Its memory is there while the file is held. */
k42_result files_control_faults(file_ref file, unsigned request, uintptr_t argument) {
    struct faults *faults;
    k42_result result = k42_call(file, hold);
    if (result < 0)
        return result;
    result = k42_call(file, control, FILE_LOOK, (uintptr_t)&faults);
    if (result >= 0)
        result = control(faults, request, argument);
    (void)!k42_call(file, release);
    return result;
}

/* ---- the call ---- */

/* Partly: missing pages alone are told of, not writing (UFFDIO_WRITEPROTECT), pages that an object
 * has (UFFDIO_CONTINUE), forks and changes of what is mapped; pages of an object that were mapped
 * before they were cut off or punched out count as there. */
LINUX_CALL(323, userfaultfd, unsigned flags) {
    bool program_only = flags & UFFD_USER_MODE_ONLY;
    if (!program_only && !__atomic_load_n(&anybody, __ATOMIC_RELAXED) &&
        !task_capable(task_self(), CAP_SYS_PTRACE))
        return -EPERM;
    if (flags & ~(unsigned)(OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC | UFFD_USER_MODE_ONLY))
        return -EINVAL;
    return faults_file_open(flags & ~(unsigned)UFFD_USER_MODE_ONLY, program_only);
}

static k42_result print_anybody(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%u\n", __atomic_load_n(&anybody, __ATOMIC_RELAXED));
    return 0;
}

static k42_result write_anybody(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    size -= size && bytes[size - 1] == '\n';
    if (size != 1 || (bytes[0] != '0' && bytes[0] != '1'))
        return -EINVAL;
    __atomic_store_n(&anybody, (uint32_t)(bytes[0] - '0'), __ATOMIC_RELAXED);
    return 0;
}

void proc_faults_register(struct proc_entry *vm) {
    static struct proc_entry setting = {.name = "unprivileged_userfaultfd",
                                        .mode = MODE_REGULAR | 0644,
                                        .print = print_anybody,
                                        .write = write_anybody};
    proc_add(vm, &setting);
}
