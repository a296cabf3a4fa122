/*
 * Bringing pages that a watched mapping lacks: UFFDIO_COPY and UFFDIO_ZEROPAGE.
 *
 * Any call's thread, which waits here for what it copies from; holds nothing meanwhile. The range
 * lies in one mapping that is watched, by whomever. What was brought is woken, and said, also when
 * the rest could not be.
 */
#include "../../../mem/machine.h"
#include "../../call.h"
#include "../../files/files.h"
#include "faults.h"

#include <k42/k42.h>

static k42_result bring_once(const struct faults *faults, uintptr_t at, struct copy *from) {
    return faults_reach(faults) ? k42_call(faults->space, provide, at, from) : -ESRCH;
}

/* One page at a time; the cursor moves with it. */
static k42_result bring_all(const struct faults *faults, const struct faults_range *to,
                            struct copy *from) {
    uintptr_t at = to->start;
    k42_result result = 0;
    while (at < to->end && result >= 0) {
        MEMORY_CALL(result,
                    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, bring_once(faults, at, from)));
        at += result > 0 ? MACHINE_PAGE_SIZE : 0;
        k42_safe_point();
    }
    return at > to->start ? (k42_result)(at - to->start) : result;
}

static k42_result bring(const struct faults *faults, const struct faults_range *to,
                        struct copy *from) {
    struct space_mapping mapping;
    if (!faults_reach(faults))
        return -ESRCH;
    k42_result result = k42_call(faults->space, find, to->start, 0, &mapping);
    if (result == -K42_STALE)
        return -ESRCH;
    if (result < 0 || mapping.start > to->start || mapping.end < to->end ||
        !(mapping.flags & SPACE_WATCHED))
        return -ENOENT;
    result = bring_all(faults, to, from);
    return result == -K42_STALE ? -ESRCH : result;
}

/* Says what came of it where the program looks for that, and lets those go on who waited. */
static k42_result finish(struct faults *faults, const struct faults_range *to, k42_result done,
                         bool wakes, uintptr_t said_at) {
    int64_t said = done;
    k42_result result = done == -ESRCH ? 0 : files_copy_out(said_at, &said, sizeof said);
    if (result < 0 || done < 0)
        return result < 0 ? result : done;
    struct faults_range brought = {to->start, to->start + (uintptr_t)done};
    faults_wake(faults, &brought, !wakes);
    return brought.end == to->end ? 0 : -EAGAIN;
}

k42_result faults_copy(struct faults *faults, uintptr_t argument) {
    struct uffdio_copy copy;
    struct faults_range to;
    k42_result result = files_copy_in(&copy, argument, offsetof(struct uffdio_copy, copy));
    if (result >= 0)
        result = faults_check_range(copy.dst, copy.len, &to);
    if (result >= 0 &&
        (copy.src + copy.len <= copy.src || copy.mode & ~(uint64_t)UFFDIO_COPY_MODE_DONTWAKE))
        result = -EINVAL;
    if (result < 0)
        return result;
    struct copy from = copy_of_user(copy.src, copy.len);
    return finish(faults, &to, bring(faults, &to, &from), !copy.mode,
                  argument + offsetof(struct uffdio_copy, copy));
}

k42_result faults_zero(struct faults *faults, uintptr_t argument) {
    struct uffdio_zeropage zero;
    struct faults_range to;
    k42_result result = files_copy_in(&zero, argument, offsetof(struct uffdio_zeropage, zeropage));
    if (result >= 0)
        result = faults_check_range(zero.range.start, zero.range.len, &to);
    if (result >= 0 && zero.mode & ~(uint64_t)UFFDIO_ZEROPAGE_MODE_DONTWAKE)
        result = -EINVAL;
    if (result < 0)
        return result;
    return finish(faults, &to, bring(faults, &to, NULL), !zero.mode,
                  argument + offsetof(struct uffdio_zeropage, zeropage));
}
