/*
 * Waiting, on a host: the kernel's own table and attempts of calls, with host threads, so that the
 * sanitizers see them. What each end of a wait is, is checked in the kernel
 * (kernel/test/wait_checks.c); here it is that nothing is lost and nothing raced for.
 */
#include "../../kernel/linux/futex/futex_table.h"
#include "../../kernel/linux/futex/futexes_of_all.h"
#include "../../kernel/print.h"
#include "wait_machine.h"

#include <errno.h>
#include <k42/k42.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHELF   0x7001u
#define OTHER   0x7002u
#define TAKERS  4u
#define PUTTERS 3u

#define ROUNDS 300u

/* ---- threads ---- */

static __thread struct thread *self;

void machine_thread_open(struct thread *thread, uint32_t number) {
    thread->number = number;
    pthread_mutex_init(&thread->mutex, NULL);
    pthread_cond_init(&thread->condition, NULL);
    self = thread;
}

struct thread *thread_self(void) {
    return self;
}

uint32_t thread_id(const struct thread *thread) {
    return thread->number;
}

uint32_t thread_interrupts(void) {
    return __atomic_load_n(&self->interrupts, __ATOMIC_ACQUIRE);
}

void thread_wake(struct thread *thread) {
    pthread_mutex_lock(&thread->mutex);
    thread->woken = true;
    pthread_cond_signal(&thread->condition);
    pthread_mutex_unlock(&thread->mutex);
}

void thread_interrupt(struct thread *thread, uint32_t why) {
    __atomic_fetch_or(&thread->interrupts, why, __ATOMIC_SEQ_CST);
    thread_wake(thread);
}

/* The kernel's clock need not be one of the host's conditions, so a deadline is waited for in
 * pieces. */
void thread_block_until(uint64_t deadline) {
    pthread_mutex_lock(&self->mutex);
    if (deadline == WAIT_FOREVER) {
        while (!self->woken)
            pthread_cond_wait(&self->condition, &self->mutex);
    } else {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        at.tv_nsec += 100000;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        if (!self->woken)
            pthread_cond_timedwait(&self->condition, &self->mutex, &at);
    }
    self->woken = false;
    pthread_mutex_unlock(&self->mutex);
}

_Noreturn void panic(const char *format, ...) {
    (void)format;
    abort();
}

struct member {
    struct thread thread;
    pthread_t handle;
    uint32_t number;
    void (*work)(struct member *member);
};

static uint32_t ready;

static void *run(void *argument) {
    struct member *member = argument;
    machine_thread_open(&member->thread, member->number + 1);
    __atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
    if (k42_attach("member") < 0)
        abort();
    member->work(member);
    if (k42_detach() < 0)
        abort();
    return NULL;
}

static struct member members[16];

/* When it returns the threads can be interrupted. */
static void start(uint32_t first, uint32_t count, void (*work)(struct member *)) {
    ready = 0;
    for (uint32_t i = first; i < first + count; i++) {
        members[i] = (struct member){.number = i, .work = work};
        assert_int_equal(pthread_create(&members[i].handle, NULL, run, &members[i]), 0);
    }
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < count)
        sched_yield();
}

static void join(uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++)
        pthread_join(members[i].handle, NULL);
}

/* ---- a shelf ---- */

static struct {
    struct k42_lock lock;
    long things, taken;
} shelf;

static k42_result shelf_take(void) {
    k42_lock(&shelf.lock);
    k42_result result = shelf.things ? 1 : wait_on(SHELF, 0, WAIT_READ);
    if (result > 0) {
        shelf.things--;
        shelf.taken++;
    }
    k42_unlock(&shelf.lock);
    return result;
}

static void put(bool locked) {
    k42_lock(&shelf.lock);
    shelf.things++;
    if (locked)
        wait_notify(SHELF, 0, WAIT_READ, 1);
    k42_unlock(&shelf.lock);
    if (!locked)
        wait_notify(SHELF, 0, WAIT_READ, 1);
}

static void take_all(struct member *member) {
    for (uint32_t i = 0; i < PUTTERS * ROUNDS;) {
        k42_result result;
        uint64_t deadline = member->number & 1 ? time_ns() + 50000 : WAIT_FOREVER;
        k42_enter();
        WAIT_CALL(result, deadline, 0, shelf_take());
        k42_exit();
        __atomic_fetch_and(&member->thread.interrupts, 0, __ATOMIC_RELAXED);
        i += result == 1;
        if (result != 1 && result != -EINTR && result != -ETIMEDOUT)
            abort();
    }
}

static void put_all(struct member *member) {
    for (uint32_t i = 0; i < TAKERS * ROUNDS; i++) {
        put(i & 1);
        if (!(i % 8))
            thread_interrupt(&members[(i / 8 + member->number) % TAKERS].thread,
                             THREAD_INTERRUPTED);
    }
}

static void nothing_is_lost_by_interrupts_deadlines_and_notifications_of_one(void **state) {
    (void)state;
    shelf.things = shelf.taken = 0;
    start(0, TAKERS, take_all);
    start(TAKERS, PUTTERS, put_all);
    join(TAKERS, PUTTERS);
    join(0, TAKERS);
    assert_int_equal(shelf.things, 0);
    assert_int_equal(shelf.taken, TAKERS * PUTTERS * ROUNDS);
    assert_false(wait_anybody(SHELF, 0));
}

/* ---- watchers and requeues ---- */

static uint32_t stop;
static struct wait_entry watcher;
static uint32_t inside, calls;

static void watched(struct wait_entry *entry, uint32_t events) {
    if (entry != &watcher || !events || __atomic_exchange_n(&inside, 1, __ATOMIC_ACQUIRE))
        abort();
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    wait_notify(OTHER, 0, WAIT_READ, 1);
    __atomic_store_n(&inside, 0, __ATOMIC_RELEASE);
}

static void notify_all(struct member *member) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        wait_notify(SHELF, 0, member->number & 1 ? WAIT_READ : WAIT_WRITE, WAIT_ALL);
}

static void a_watcher_is_called_alone_and_not_after_its_removal(void **state) {
    (void)state;
    struct wait_point point = {.id = SHELF, .events = WAIT_READ | WAIT_WRITE};
    stop = 0;
    start(0, 3, notify_all);
    for (uint32_t i = 0; i < ROUNDS / 4; i++) {
        wait_watch(&watcher, point, watched);
        uint32_t before = __atomic_load_n(&calls, __ATOMIC_ACQUIRE);
        while (before == __atomic_load_n(&calls, __ATOMIC_ACQUIRE))
            sched_yield();
        assert_int_not_equal(wait_remove(&watcher), 0);
        watcher = (struct wait_entry){0}; /* its memory is ours */
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    join(0, 3);
}

static struct wait_entry instead[3];
static uint32_t told[3], takers[3];

static void told_instead(struct wait_entry *entry, uint32_t events) {
    told[entry - instead] += !!events;
}

static void tell_once(uint32_t events, uint32_t first, uint32_t second, uint32_t third) {
    const uint32_t wanted[3] = {first, second, third};
    memset(told, 0, sizeof told);
    wait_notify(SHELF, 0, events, WAIT_ALL);
    if (memcmp(told, wanted, sizeof told))
        abort();
}

/* The last that came stands first. */
static void tell_those_that_will_do(struct member *member) {
    struct wait_point point = {.id = SHELF, .events = WAIT_READ | WAIT_ERROR};
    (void)member;
    for (unsigned i = 0; i < 3; i++)
        wait_watch_instead(&instead[i], point, told_instead, &takers[i]);
    tell_once(WAIT_READ, 1, 1, 1);
    takers[1] = 1;
    tell_once(WAIT_READ, 0, 1, 1);
    takers[2] = takers[0] = 1;
    tell_once(WAIT_READ, 0, 0, 1);
    tell_once(WAIT_READ | WAIT_ERROR, 1, 1, 1);
    (void)wait_remove(&instead[2]);
    tell_once(WAIT_READ, 0, 1, 0);
    for (unsigned i = 0; i < 2; i++)
        (void)wait_remove(&instead[i]);
}

static void watchers_that_will_do_for_each_other_are_told_as_far_as_one_takes(void **state) {
    (void)state;
    start(0, 1, tell_those_that_will_do);
    join(0, 1);
}

static pthread_t callers_seen[2];
static uint32_t seen;

/* The first call lasts until somebody else waits to make the next. */
static void watched_by_two(struct wait_entry *entry, uint32_t events) {
    (void)events;
    if (seen < 2)
        callers_seen[seen] = pthread_self();
    if (seen == 1)
        __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    bool first = !seen;
    __atomic_store_n(&seen, seen + 1, __ATOMIC_RELEASE);
    while (first && !__atomic_load_n(&entry->succeeded, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void nobody_calls_for_others_for_ever(void **state) {
    (void)state;
    struct wait_point point = {.id = SHELF, .events = WAIT_READ | WAIT_WRITE};
    stop = 0;
    seen = 0;
    wait_watch(&watcher, point, watched_by_two);
    start(0, 2, notify_all);
    join(0, 2);
    assert_int_not_equal(wait_remove(&watcher), 0);
    assert_true(seen >= 2 && !pthread_equal(callers_seen[0], callers_seen[1]));
}

/* A table beside that of all: four buckets. */
static struct wait_bucket own_buckets[4];
static const struct wait_table own = {own_buckets, 62};

static bool anybody_in(const struct wait_table *table, const struct wait_point *point) {
    return __atomic_load_n(&wait_table_bucket(table, point->id, point->key)->waiters,
                           __ATOMIC_SEQ_CST);
}

static void come_and_go(struct member *member) {
    struct wait_point point = {
        .id = member->number & 1 ? SHELF : OTHER, .events = WAIT_READ, .key = 3};
    for (uint32_t i = 0; i < ROUNDS / 4; i++) {
        struct wait_set set;
        struct wait_entry entry;
        wait_set_open(&set);
        wait_table_add_once(&own, &set, &entry, point);
        (void)!wait_sleep(&set, time_ns() + 20000, 0);
        (void)wait_remove(&entry);
    }
}

static void move_and_wake(struct member *member) {
    struct wait_requeue how = {.from = {.id = SHELF, .events = WAIT_READ, .key = 3},
                               .to = {.id = OTHER, .events = WAIT_READ, .key = 3},
                               .wake = member->number & 1,
                               .move = 5};
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        struct wait_point from = how.from;
        (void)!wait_table_requeue(&how, &own, &own);
        how.from = how.to;
        how.to = from;
    }
}

static void entries_are_removed_while_they_are_moved_and_woken(void **state) {
    (void)state;
    stop = 0;
    start(0, 4, come_and_go);
    start(4, 2, move_and_wake);
    join(0, 4);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    join(4, 2);
    const struct wait_point here = {.id = SHELF, .key = 3}, there = {.id = OTHER, .key = 3};
    assert_false(anybody_in(&own, &here) || anybody_in(&own, &there));
}

/* ---- tables of futexes ---- */

#define SPACE 0x7003u

static futex_table_ref futexes;
static uint32_t word; /* how many things there are; waited for while it is 0 */
static const struct wait_point word_point = {.id = SPACE, .events = WAIT_READ, .key = 0x1000};

/* As futex() waits: in the table, then the look, then sleep. */
static void wait_for_word(uint64_t deadline) {
    struct wait_set set;
    struct wait_entry entry;
    k42_enter();
    wait_set_open(&set);
    if (k42_call(futexes, add, &set, &entry, &word_point) < 0)
        abort();
    if (!__atomic_load_n(&word, __ATOMIC_SEQ_CST))
        (void)!wait_sleep(&set, deadline, 0);
    (void)wait_remove(&entry);
    k42_exit();
}

static bool take_one(void) {
    uint32_t things = __atomic_load_n(&word, __ATOMIC_SEQ_CST);
    while (things)
        if (__atomic_compare_exchange_n(&word, &things, things - 1, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return true;
    return false;
}

static void take_things(struct member *member) {
    for (uint32_t i = 0; i < PUTTERS * ROUNDS; i++)
        while (!take_one())
            wait_for_word(member->number & 1 ? time_ns() + 50000 : WAIT_FOREVER);
}

static void put_things(struct member *member) {
    struct wait_requeue how = {.from = word_point, .to = word_point, .wake = 1};
    for (uint32_t i = 0; i < TAKERS * ROUNDS; i++) {
        __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
        k42_enter();
        k42_result woken = (i + member->number) % 4 ? k42_call(futexes, wake, &word_point, 1)
                                                    : k42_call(futexes, requeue, &how);
        k42_exit();
        if (woken < 0 || woken > 1)
            abort();
    }
}

/* A table to each other one and to its own kind, while threads wait there and are woken. */
static void swap_tables(struct member *member) {
    struct k42_class *kinds[] = {&futex_table_global, &futex_table_process, &futex_table_process,
                                 &futex_table_global};
    (void)member;
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
        k42_result result = k42_swap((k42_ref)futexes, kinds[i % 4], NULL);
        if (result < 0 && result != -ETIMEDOUT)
            abort();
    }
}

static void no_wake_up_is_lost_while_the_table_of_futexes_is_swapped(void **state) {
    k42_ref made;
    (void)state;
    assert_int_equal(k42_attach("maker"), 0);
    k42_enter();
    k42_result result = futex_table_make(SPACE, true, &made);
    k42_exit();
    assert_int_equal(result, 0);
    assert_int_equal(k42_detach(), 0);
    futexes = (futex_table_ref)made;
    word = stop = 0;
    start(0, TAKERS, take_things);
    start(TAKERS + PUTTERS, 1, swap_tables);
    start(TAKERS, PUTTERS, put_things);
    join(TAKERS, PUTTERS);
    join(0, TAKERS);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    join(TAKERS + PUTTERS, 1);
    assert_int_equal(word, 0);
    assert_false(anybody_in(&futexes_of_all, &word_point));
    assert_int_equal(k42_destroy(made), 0);
}

/* However long it takes whoever is still on his way to sleep. */
static void swap_surely(k42_ref ref, struct k42_class *to) {
    struct k42_swap swap = {.ref = ref, .to = to, .deadline_ns = 60000000000};
    assert_int_equal(k42_swap_run(&swap), 0);
}

static uint32_t woken_in[5], woken_count;

static void sleep_there(struct member *member) {
    struct wait_set set;
    struct wait_entry entry;
    k42_enter();
    wait_set_open(&set);
    if (k42_call(futexes, add, &set, &entry, &word_point) < 0)
        abort();
    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
    (void)!wait_sleep(&set, WAIT_FOREVER, 0);
    woken_in[__atomic_fetch_add(&woken_count, 1, __ATOMIC_SEQ_CST)] = member->number;
    (void)wait_remove(&entry);
    k42_exit();
}

static void who_waits_longest_is_woken_first_after_swaps(void **state) {
    k42_ref made;
    (void)state;
    assert_int_equal(k42_attach("test"), 0);
    k42_enter();
    k42_result result = futex_table_make(SPACE, false, &made);
    k42_exit();
    assert_int_equal(result, 0);
    futexes = (futex_table_ref)made;
    word = woken_count = 0;
    for (uint32_t i = 0; i < 5; i++) {
        start(i, 1, sleep_there);
        while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) <= i)
            sched_yield();
    }
    assert_true(anybody_in(&futexes_of_all, &word_point));
    assert_false(wait_anybody(word_point.id, word_point.key));
    swap_surely(made, &futex_table_process);
    assert_false(anybody_in(&futexes_of_all, &word_point));
    swap_surely(made, &futex_table_process);
    for (uint32_t i = 0; i < 5; i++) {
        if (i == 3)
            swap_surely(made, &futex_table_global);
        k42_enter();
        assert_int_equal(k42_call(futexes, wake, &word_point, 1), 1);
        k42_exit();
        while (__atomic_load_n(&woken_count, __ATOMIC_SEQ_CST) <= i)
            sched_yield();
    }
    join(0, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(woken_in[i], i);
    assert_int_equal(k42_destroy(made), 0);
    assert_int_equal(k42_detach(), 0);
}

static int open_all(void **state) {
    (void)state;
    if (k42_init(NULL))
        return -1;
    wait_open(1ul << 30);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    if (k42_defer_flush())
        return -1;
    return k42_shutdown() ? -1 : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_by_interrupts_deadlines_and_notifications_of_one),
        cmocka_unit_test(a_watcher_is_called_alone_and_not_after_its_removal),
        cmocka_unit_test(watchers_that_will_do_for_each_other_are_told_as_far_as_one_takes),
        cmocka_unit_test(nobody_calls_for_others_for_ever),
        cmocka_unit_test(entries_are_removed_while_they_are_moved_and_woken),
        cmocka_unit_test(no_wake_up_is_lost_while_the_table_of_futexes_is_swapped),
        cmocka_unit_test(who_waits_longest_is_woken_first_after_swaps),
    };
    return cmocka_run_group_tests_name("wait", tests, open_all, close_all);
}
