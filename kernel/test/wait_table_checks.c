/*
 * Checks of tables of one's own, as futexes and the setting of the clock use them: test=wait.
 *
 * None is decided by time: who is not woken stays asleep, and the emulator's limit ends that.
 */
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"

#include <errno.h>
#include <k42/k42.h>

#define SHELF  0x7fff0001u /* ids that no object has */
#define SHELF2 0x7fff0002u

static struct crew crew, others;

static struct wait_point point_of(k42_id id, uintptr_t key) {
    return (struct wait_point){.id = id, .key = key, .events = WAIT_READ};
}

static struct wait_bucket own_buckets[4];
static const struct wait_table own = {own_buckets, 62};

struct watcher {
    struct wait_entry entry;
    uint32_t hangups;
};

static void count_hangups(struct wait_entry *entry, uint32_t events) {
    struct watcher *watcher = k42_container(entry, struct watcher, entry);
    watcher->hangups += events == WAIT_HANGUP;
}

/* Of many watchers in few buckets, some of another object, and one in the table of all. */
KERNEL_CHECK(wait, all_who_watch_an_object_in_a_table_are_told_and_nobody_else) {
    static struct watcher watchers[20];
    bool right = true;
    for (unsigned i = 0; i < 20; i++) {
        struct wait_point point = point_of(i % 4 ? SHELF : SHELF2, i);
        watchers[i].hangups = 0;
        if (i == 19)
            wait_watch(&watchers[i].entry, point, count_hangups);
        else
            wait_table_watch(&own, &watchers[i].entry, point, count_hangups);
    }
    wait_table_hangup(&own, SHELF);
    wait_table_hangup(&own, SHELF);
    for (unsigned i = 0; i < 20; i++) {
        bool told = i % 4 && i < 19;
        right = right && watchers[i].hangups == (told ? 2 : 0) &&
                wait_remove(&watchers[i].entry) == (told ? WAIT_HANGUP : 0);
    }
    wait_table_hangup(&own, SHELF);
    return right && watchers[1].hangups == 2;
}

static void wait_at_a_word(struct member *self) {
    struct wait_set set;
    struct wait_entry entry;
    struct wait_point point = point_of(SHELF, 8);
    point.events = 1u << self->number;
    wait_set_open(&set);
    wait_table_add_once(&own, &set, &entry, point);
    __atomic_fetch_add((uint32_t *)self->shared, 1, __ATOMIC_RELEASE);
    k42_result result = wait_sleep(&set, WAIT_FOREVER, 0);
    self->done = wait_remove(&entry) && !result ? 1 : 2;
}

static uint64_t members_done(void) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew.size; i++)
        sum += __atomic_load_n(&crew.members[i].done, __ATOMIC_ACQUIRE);
    return sum;
}

static uint32_t wake(k42_id id, uint32_t events, uint32_t count) {
    struct wait_point point = {.id = id, .key = 8, .events = events};
    return wait_table_notify(&own, &point, count);
}

static bool refuse(void *argument) {
    (void)argument;
    return false;
}

KERNEL_CHECK(wait, waiters_are_moved_from_point_to_point_and_woken_by_their_bits) {
    uint32_t there = 0;
    if (!crew_start(&crew, 10, false, wait_at_a_word, &there))
        return false;
    while (__atomic_load_n(&there, __ATOMIC_ACQUIRE) < 10)
        thread_sleep(50000);
    struct wait_requeue how = {.from = {.id = SHELF, .key = 8, .events = (uint32_t)WAIT_ANY},
                               .to = {.id = SHELF2, .key = 8},
                               .wake = 2,
                               .move = 5,
                               .check = refuse};
    bool right = wait_table_requeue(&how, &own, &own) == -EAGAIN;
    how.check = NULL;
    right = right && wait_table_requeue(&how, &own, &own) == 7;
    while (members_done() < 2)
        thread_sleep(50000);
    right = right && wake(SHELF, (uint32_t)WAIT_ANY, WAIT_ALL) == 3 &&
            wake(SHELF, (uint32_t)WAIT_ANY, WAIT_ALL) == 0;
    uint32_t by_bit = 0;
    for (unsigned i = 0; i < 10; i++)
        by_bit += wake(SHELF2, 1u << i, 1);
    crew_wait(&crew);
    return right && by_bit == 5 && members_done() == 10;
}

static bool is_empty(const struct wait_table *table) {
    for (uint64_t i = 0; i < 1ul << (64 - table->shift); i++)
        if (table->buckets[i].waiters || table->buckets[i].first)
            return false;
    return true;
}

static void move_to_and_fro(struct member *self) {
    struct wait_requeue how = {
        .from = point_of(SHELF, 0), .to = point_of(SHELF2, 0), .move = WAIT_ALL >> 1};
    while (member_goes_on(self)) {
        struct wait_point from = how.from;
        (void)!wait_table_requeue(&how, &own, &own);
        how.from = how.to;
        how.to = from;
        member_count(self);
    }
}

static void come_and_go(struct member *self) {
    struct wait_set set;
    struct wait_entry entry;
    while (member_goes_on(self)) {
        wait_set_open(&set);
        wait_table_add_once(&own, &set, &entry, point_of(self->number & 1 ? SHELF : SHELF2, 0));
        (void)!wait_sleep(&set, time_ns() + 3000, 0);
        (void)wait_remove(&entry);
        member_count(self);
    }
}

KERNEL_CHECK(wait, an_entry_can_be_removed_while_it_is_moved) {
    if (!crew_start(&crew, 6, false, come_and_go, NULL) ||
        !crew_start(&others, 2, false, move_to_and_fro, NULL))
        return false;
    crew_await(&crew, 100);
    crew_end(&others);
    crew_end(&crew);
    return is_empty(&own);
}

/* Its owner slept on while the table was moved away from and freed, and somebody else uses that. */
KERNEL_CHECK(wait, an_entry_that_was_notified_needs_its_table_no_more) {
    static struct wait_bucket buckets[2], others_memory = {.waiters = ~0u, .lock = 1};
    const struct wait_table table = {buckets, 63};
    struct wait_point point = point_of(SHELF, 3);
    struct wait_set set;
    struct wait_entry told, moved;
    wait_set_open(&set);
    wait_table_add_once(&table, &set, &told, point);
    wait_table_add_once(&table, &set, &moved, point);
    bool right = wait_table_notify(&table, &point, 1) == 1;
    wait_table_move(&table, &own, SHELF);
    right = right && !is_empty(&own);
    buckets[0] = buckets[1] = others_memory;
    return wait_remove(&told) == WAIT_READ && !wait_remove(&moved) && right && is_empty(&own);
}
