/*
 * Futexes: waiting for words of programs' memory, in the wait table like everything else.
 *
 * A word's point is its address in its address space; for words that processes may share, what the
 * space says it is to all of them. The former are waited for in the space's own table, if it has
 * one (futex/futex_table.h), the latter in that of all (futex/futexes_of_all.h). The events are the
 * call's bitset, the once-waiting entries are the waiters, and requeueing is the tables'.
 *
 * No wake-up is lost: who waits is in the table before it looks at the word, and who wakes has
 * changed the word before. Who finds another value than it expected, but was woken meanwhile,
 * counts as woken, so that the wake-up is not lost for the others either.
 *
 * Those that have owners (PI) are in futex_owned.c.
 */
#include "futexes.h"

#include "../arch/x86_64/user_copy.h"
#include "abi.h"
#include "clocks.h"
#include "futex/futex_table.h"
#include "futex/futexes_of_all.h"
#include "process/lives.h"
#include "program.h"

#include <k42/k42.h>

#define OWED_MOST 2048u /* entries of a list of robust futexes */
#define ALL_BITS  FUTEX_BITSET_MATCH_ANY

k42_result futex_point(uintptr_t address, bool private, struct wait_point *point) {
    struct task *task = task_self();
    struct space_identity identity = {k42_id_of(task->space), address};
    if (address % sizeof(uint32_t))
        return -EINVAL;
    if (!user_range_ok(address, sizeof(uint32_t)))
        return -EFAULT;
    k42_result result = 0;
    if (!private)
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call(task->space, identify, address, &identity));
    *point = (struct wait_point){.id = identity.object, .key = identity.key, .events = ALL_BITS};
    return result;
}

/* ---- where ---- */

/* The table of the calling task's address space, when the point is one of its own; or none. */
static futex_table_ref table_of(const struct wait_point *point) {
    struct task *task = task_self();
    bool own = point->id == k42_id_of(task->space);
    return (futex_table_ref)(own ? __atomic_load_n(&task->memory->futexes, __ATOMIC_ACQUIRE)
                                 : K42_NULL_REF);
}

static bool is_there(futex_table_ref table) {
    return k42_id_of(table);
}

void futex_wait_there(struct wait_set *set, struct wait_entry *entry,
                      const struct wait_point *point) {
    futex_table_ref table = table_of(point);
    if (!is_there(table) || k42_call(table, add, set, entry, point) < 0)
        wait_table_add_once(&futexes_of_all, set, entry, *point);
}

static k42_result wake_there(const struct wait_point *point, uint32_t count) {
    futex_table_ref table = table_of(point);
    return is_there(table) ? k42_call(table, wake, point, count)
                           : wait_table_notify(&futexes_of_all, point, count);
}

static k42_result requeue_there(const struct wait_requeue *how) {
    futex_table_ref table = table_of(&how->from);
    if (!is_there(table))
        table = table_of(&how->to);
    return is_there(table) ? k42_call(table, requeue, how)
                           : wait_table_requeue(how, &futexes_of_all, &futexes_of_all);
}

/* ---- waiting ---- */

static k42_result sleep_at(struct wait_set *set, struct wait_entry *entry, uint64_t deadline) {
    k42_result result;
    do
        result = wait_sleep(set, deadline, 0);
    while (!result && !__atomic_load_n(&entry->fired, __ATOMIC_RELAXED));
    return result;
}

k42_result futex_wait_once(const struct futex_wait *wait) {
    struct wait_set set;
    struct wait_entry entry;
    uint32_t value;
    /* Brings the page in: waiting for it later would wake what is already in the table. */
    k42_result result = user_get32(&value, wait->address);
    if (result < 0 || value != wait->value)
        return result < 0 ? result : -EAGAIN;
    wait_set_open(&set);
    futex_wait_there(&set, &entry, &wait->point);
    result = user_get32(&value, wait->address);
    if (result >= 0)
        result = value == wait->value ? sleep_at(&set, &entry, wait->deadline) : -EAGAIN;
    return wait_remove(&entry) ? 0 : result;
}

enum { ADDRESS, PRIVATE, VALUE, BITS, DEADLINE };

/* Goes on after a signal without a handler, with the same deadline. */
static k42_result wait_on_futex(struct task *task) {
    struct futex_wait wait = {.address = task->restart_words[ADDRESS],
                              .value = (uint32_t)task->restart_words[VALUE],
                              .deadline = task->restart_words[DEADLINE]};
    k42_result result = futex_point(wait.address, task->restart_words[PRIVATE], &wait.point);
    wait.point.events = (uint32_t)task->restart_words[BITS];
    if (result >= 0)
        result = futex_wait_once(&wait);
    if (result != -EINTR)
        return result;
    return wait.deadline == WAIT_FOREVER ? -LINUX_RESTART : -LINUX_RESTART_BLOCK;
}

struct futex_call {
    uintptr_t address, other;
    uint32_t value, value2, value3;
    bool private, by_time_of_day;
};

static k42_result futex_wait(const struct futex_call *call, uint32_t bits, uint64_t deadline) {
    struct task *task = task_self();
    if (!bits)
        return -EINVAL;
    task->restart = wait_on_futex;
    task->restart_words[ADDRESS] = call->address;
    task->restart_words[PRIVATE] = call->private;
    task->restart_words[VALUE] = call->value;
    task->restart_words[BITS] = bits;
    task->restart_words[DEADLINE] = deadline;
    return wait_on_futex(task);
}

/* ---- waking ---- */

/* Linux wakes one when it is asked for none. */
static uint32_t at_least_one(uint32_t count) {
    return (int32_t)count > 0 ? count : 1;
}

k42_result futex_wake_at(const struct wait_point *point, uint32_t count) {
    WAIT_BARRIER();
    return wake_there(point, at_least_one(count));
}

static k42_result futex_wake(const struct futex_call *call, uint32_t bits) {
    struct wait_point point;
    if (!bits)
        return -EINVAL;
    k42_result result = futex_point(call->address, call->private, &point);
    point.events = bits;
    return result < 0 ? result : futex_wake_at(&point, call->value);
}

/* The operation is in the upper half of the word's description, the comparison in the rest. */
struct word_operation {
    unsigned operation, comparison;
    int32_t operand, compared;
    bool shift;
};

static struct word_operation decode(uint32_t code) {
    return (struct word_operation){
        .operation = code >> 28 & 7,
        .shift = code >> 31,
        .comparison = code >> 24 & 15,
        .operand = (int32_t)(code << 8) >> 20,
        .compared = (int32_t)(code << 20) >> 20,
    };
}

static bool compare(unsigned comparison, int32_t a, int32_t b) {
    switch (comparison) {
    case FUTEX_OP_CMP_EQ:
        return a == b;
    case FUTEX_OP_CMP_NE:
        return a != b;
    case FUTEX_OP_CMP_LT:
        return a < b;
    case FUTEX_OP_CMP_LE:
        return a <= b;
    case FUTEX_OP_CMP_GT:
        return a > b;
    default:
        return a >= b;
    }
}

/* The second word is changed at once; who waits there looks at it after it is in the table. */
static k42_result futex_wake_op(const struct futex_call *call) {
    static const enum user_operation operations[] = {
        [FUTEX_OP_SET] = USER_SET,      [FUTEX_OP_ADD] = USER_ADD, [FUTEX_OP_OR] = USER_OR,
        [FUTEX_OP_ANDN] = USER_AND_NOT, [FUTEX_OP_XOR] = USER_XOR,
    };
    struct word_operation what = decode(call->value3);
    struct wait_point point, other;
    uint32_t old;
    if (what.operation > FUTEX_OP_XOR || what.comparison > FUTEX_OP_CMP_GE)
        return -ENOSYS;
    uint32_t operand = what.shift ? 1u << (what.operand & 31) : (uint32_t)what.operand;
    k42_result result = futex_point(call->address, call->private, &point);
    if (result >= 0)
        result = futex_point(call->other, call->private, &other);
    if (result >= 0)
        result = user_fetch_operation32(call->other, operations[what.operation], operand, &old);
    if (result < 0)
        return result;
    result = futex_wake_at(&point, call->value);
    if (compare(what.comparison, (int32_t)old, what.compared))
        result += futex_wake_at(&other, call->value2);
    return result;
}

/* ---- moving waiters ---- */

struct look {
    uintptr_t address;
    uint32_t value;
    bool unseen; /* the page is not there */
};

/* With the table's buckets locked: a page that is not there cannot be had now. */
static bool is_still(void *argument) {
    struct look *look = argument;
    uint32_t value = 0;
    look->unseen = user_get32(&value, look->address) < 0;
    return !look->unseen && value == look->value;
}

static k42_result futex_requeue(const struct futex_call *call, bool compared) {
    struct look look = {.address = call->address, .value = call->value3};
    struct wait_requeue how = {.wake = call->value,
                               .move = call->value2,
                               .check = compared ? is_still : NULL,
                               .argument = &look};
    if ((int32_t)call->value < 0 || (int32_t)call->value2 < 0)
        return -EINVAL;
    k42_result result = futex_point(call->address, call->private, &how.from);
    if (result >= 0)
        result = futex_point(call->other, call->private, &how.to);
    WAIT_BARRIER();
    while (result >= 0) {
        uint32_t value;
        result = requeue_there(&how);
        if (result != -EAGAIN || !look.unseen)
            return result;
        result = user_get32(&value, look.address); /* brings it in */
    }
    return result;
}

/* ---- the call ---- */

/* The time is how long to wait for FUTEX_WAIT, and until when for FUTEX_WAIT_BITSET. */
static k42_result deadline_of(const struct futex_call *call, uintptr_t time, bool until,
                              uint64_t *deadline) {
    int64_t ns;
    *deadline = WAIT_FOREVER;
    k42_result result = time ? clocks_read(time, &ns) : 0;
    if (result < 0 || !time)
        return result;
    if (until)
        return clocks_deadline(call->by_time_of_day ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns,
                               deadline);
    *deadline = clocks_after(ns);
    return 0;
}

/*
 * Partly: owners of futexes lend no priority and are not followed by others when they end without
 * a robust list; no FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI and FUTEX_FD.
 */
LINUX_CALL(202, futex, uintptr_t address, int operation, uint32_t value, uintptr_t time,
           uintptr_t other, uint32_t value3) {
    struct futex_call call = {
        .address = address,
        .other = other,
        .value = value,
        .value2 = (uint32_t)time, /* a number, where the operation wants two */
        .value3 = value3,
        .private = operation & FUTEX_PRIVATE_FLAG,
        .by_time_of_day = operation & FUTEX_CLOCK_REALTIME,
    };
    uint64_t deadline;
    k42_result result = 0;
    int what = operation & FUTEX_CMD_MASK;
    bool owned = what == FUTEX_LOCK_PI || what == FUTEX_LOCK_PI2;
    if (call.by_time_of_day && what != FUTEX_WAIT_BITSET && what != FUTEX_WAIT &&
        what != FUTEX_LOCK_PI2)
        return -ENOSYS;
    call.by_time_of_day |= what == FUTEX_LOCK_PI;
    if (what == FUTEX_WAIT || what == FUTEX_WAIT_BITSET || owned)
        result = deadline_of(&call, time, what != FUTEX_WAIT, &deadline);
    if (result < 0)
        return result;
    switch (what) {
    case FUTEX_WAIT:
        return futex_wait(&call, ALL_BITS, deadline);
    case FUTEX_WAIT_BITSET:
        return futex_wait(&call, value3, deadline);
    case FUTEX_WAKE:
        return futex_wake(&call, ALL_BITS);
    case FUTEX_WAKE_BITSET:
        return futex_wake(&call, value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(&call);
    case FUTEX_REQUEUE:
        return futex_requeue(&call, false);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(&call, true);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return futex_lock_owned(call.address, call.private, deadline);
    case FUTEX_TRYLOCK_PI:
        return futex_try_owned(call.address);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_owned(call.address, call.private);
    default:
        return -ENOSYS;
    }
}

/* ---- the end of a thread ---- */

/* Wherever it is waited for: as one's own, or as what others may share, which is often the same. */
static void wake_one(uintptr_t address) {
    struct wait_point shared, own;
    bool is_shared = futex_point(address, false, &shared) >= 0;
    if (is_shared)
        (void)!futex_wake_at(&shared, 1);
    if (futex_point(address, true, &own) >= 0 &&
        !(is_shared && own.id == shared.id && own.key == shared.key))
        (void)!futex_wake_at(&own, 1);
}

/* A futex that the thread holds is marked as its dead owner's, and one who waits for it is woken.
 */
static void give_up(const struct task *task, uintptr_t address, bool pending) {
    uint32_t value;
    if (address % sizeof value || user_get32(&value, address) < 0)
        return;
    if (pending && !value)
        wake_one(address); /* it was let go, and nobody was told */
    while ((value & FUTEX_TID_MASK) == (uint32_t)task->tid) {
        uint32_t expected = value, dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (user_compare_exchange32(address, &value, dead) < 0)
            return;
        if (value == expected) {
            if (value & FUTEX_WAITERS)
                wake_one(address);
            return;
        }
    }
}

/* The program's list; its lowest bits mark futexes that lend priorities, which there are none of.
 */
static void give_up_all(struct task *task) {
    struct robust_list_head head;
    uintptr_t at = task->robust_list, entry;
    if (!at || program_read(&head, at, sizeof head) < 0)
        return;
    uintptr_t pending = (uintptr_t)head.list_op_pending & ~1ul;
    entry = (uintptr_t)head.list.next & ~1ul;
    for (unsigned i = 0; i < OWED_MOST && entry != at; i++) {
        uintptr_t next;
        bool more = program_read(&next, entry, sizeof next) >= 0;
        if (entry != pending)
            give_up(task, entry + (uintptr_t)head.futex_offset, false);
        if (!more)
            break;
        entry = next & ~1ul;
    }
    if (pending)
        give_up(task, pending + (uintptr_t)head.futex_offset, true);
}

static void thread_ends(struct task *task) {
    give_up_all(task);
    if (task->clear_tid)
        wake_one(task->clear_tid);
}

void futexes_open(void) {
    task_futexes_end = thread_ends;
}
