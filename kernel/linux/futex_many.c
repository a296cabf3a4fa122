/*
 * futex_waitv: sleeps until one of several futexes is woken.
 *
 * As in futex.c: all entries stand in their tables before the words are looked at, and who finds
 * another value than it expected, but was woken meanwhile, counts as woken.
 */
#include "futexes.h"

#include "../arch/x86_64/user_copy.h"
#include "../mem/heap/heap.h"
#include "abi.h"
#include "clocks.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>

struct one {
    struct futex_wait wait;
    struct wait_entry entry;
};

static k42_result read_one(struct one *one, uintptr_t from) {
    struct futex_waitv given;
    k42_result result = program_read(&given, from, sizeof given);
    if (result < 0)
        return result;
    if ((given.flags & ~(uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || given.__reserved ||
        !(given.flags & FUTEX_32))
        return -EINVAL;
    one->wait.address = given.uaddr;
    one->wait.value = (uint32_t)given.val;
    return futex_point(given.uaddr, given.flags & FUTEX_PRIVATE_FLAG, &one->wait.point);
}

/* Whether all words are what they were to be; brings their pages in. */
static k42_result look(const struct one *ones, unsigned count) {
    for (unsigned n = 0; n < count; n++) {
        uint32_t value;
        if (user_get32(&value, ones[n].wait.address) < 0)
            return -EFAULT;
        if (value != ones[n].wait.value)
            return -EAGAIN;
    }
    return 0;
}

static bool is_any_woken(const struct one *ones, unsigned count) {
    for (unsigned n = 0; n < count; n++)
        if (__atomic_load_n(&ones[n].entry.fired, __ATOMIC_RELAXED))
            return true;
    return false;
}

static k42_result wait_for_any(struct one *ones, unsigned count, uint64_t deadline) {
    struct wait_set set;
    k42_result result = look(ones, count), woken = -1;
    if (result < 0)
        return result;
    wait_set_open(&set);
    for (unsigned n = 0; n < count; n++)
        futex_wait_there(&set, &ones[n].entry, &ones[n].wait.point);
    result = look(ones, count);
    while (result >= 0 && !is_any_woken(ones, count))
        result = wait_sleep(&set, deadline, 0);
    for (unsigned n = 0; n < count; n++)
        if (wait_remove(&ones[n].entry))
            woken = n; /* of several the last, as on Linux */
    return woken >= 0 ? woken : result == -EINTR ? -LINUX_RESTART : result;
}

static k42_result read_deadline(uintptr_t time, int clock, uint64_t *deadline) {
    int64_t ns;
    *deadline = WAIT_FOREVER;
    if (!time)
        return 0;
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
        return -EINVAL;
    k42_result result = clocks_read(time, &ns);
    return result < 0 ? result : clocks_deadline(clock, ns, deadline);
}

LINUX_CALL(449, futex_waitv, uintptr_t from, unsigned count, unsigned flags, uintptr_t time,
           int clock) {
    uint64_t deadline;
    if (flags || !count || count > FUTEX_WAITV_MAX || !from)
        return -EINVAL;
    k42_result result = read_deadline(time, clock, &deadline);
    if (result < 0)
        return result;
    struct one *ones = heap_allocate_zeroed(count * sizeof *ones);
    if (!ones)
        return -ENOMEM;
    for (unsigned n = 0; n < count && result >= 0; n++)
        result = read_one(&ones[n], from + n * sizeof(struct futex_waitv));
    if (result >= 0)
        result = wait_for_any(ones, count, deadline);
    heap_free(ones);
    return result;
}
