/*
 * Checks of waiting: test=wait.
 *
 * What is waited for is a shelf with a number of things on it, which are put there and taken; it is
 * no object, for the table knows objects by their numbers alone. None of the checks is decided by
 * time: a wake-up that is lost leaves somebody asleep, and the emulator's limit ends that.
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

struct shelf {
    struct k42_lock lock;
    k42_id id;
    long things;
    bool gone;
};

static struct crew crew, others;

static k42_result shelf_take(struct shelf *shelf) {
    if (__atomic_load_n(&shelf->gone, __ATOMIC_ACQUIRE))
        return -K42_STALE;
    (void)k42_lock(&shelf->lock);
    k42_result result = shelf->things ? 1 : wait_on(shelf->id, 0, WAIT_READ);
    if (result > 0)
        shelf->things--;
    k42_unlock(&shelf->lock);
    return result;
}

/* Notifies with the lock held or after it: both are allowed. */
static void shelf_put(struct shelf *shelf, bool locked) {
    (void)k42_lock(&shelf->lock);
    shelf->things++;
    if (locked)
        wait_notify(shelf->id, 0, WAIT_READ, 1);
    k42_unlock(&shelf->lock);
    if (!locked)
        wait_notify(shelf->id, 0, WAIT_READ, 1);
}

static k42_result take(struct shelf *shelf, uint64_t deadline, unsigned flags) {
    k42_result result;
    k42_enter();
    WAIT_CALL(result, deadline, flags, shelf_take(shelf));
    k42_exit();
    return result;
}

/* ---- nothing is lost ---- */

static void take_many(struct member *self) {
    for (unsigned i = 0; i < 2000; i++) {
        if (take(self->shared, WAIT_FOREVER, 0) != 1)
            return;
        member_count(self);
    }
}

static void put_many(struct member *self) {
    for (unsigned i = 0; i < 2000; i++)
        shelf_put(self->shared, i & 1);
}

KERNEL_CHECK(wait, every_thing_that_is_put_is_taken) {
    struct shelf shelf = {.id = SHELF};
    if (!crew_start(&crew, 6, false, take_many, &shelf) ||
        !crew_start(&others, 6, false, put_many, &shelf))
        return false;
    crew_wait(&others);
    crew_wait(&crew);
    for (unsigned i = 0; i < 6; i++)
        if (crew.members[i].done != 2000)
            return false;
    return !shelf.things && !wait_anybody(SHELF, 0);
}

/* Odd members give up after a moment and come back; all of them are interrupted now and then. */
static void take_impatiently(struct member *self) {
    for (unsigned i = 0; i < 500;) {
        uint64_t deadline = self->number & 1 ? time_ns() + 2000 : WAIT_FOREVER;
        k42_result result = take(self->shared, deadline, 0);
        (void)thread_take_interrupts(THREAD_INTERRUPTED);
        if (result == 1)
            i++;
        else if (result != -EINTR && result != -ETIMEDOUT)
            return;
    }
    member_count(self);
}

static void put_slowly(struct member *self) {
    for (unsigned i = 0; i < 500; i++) {
        shelf_put(self->shared, i & 1);
        if (self->number & 1)
            thread_yield();
        else if (!(i % 16))
            thread_sleep(20000);
        thread_interrupt(crew.members[(i + self->number) % crew.size].thread, THREAD_INTERRUPTED);
    }
}

KERNEL_CHECK(wait, interrupts_and_deadlines_lose_no_notification) {
    struct shelf shelf = {.id = SHELF};
    if (!crew_start(&crew, 6, false, take_impatiently, &shelf) ||
        !crew_start(&others, 6, false, put_slowly, &shelf))
        return false;
    crew_wait(&others);
    crew_wait(&crew);
    for (unsigned i = 0; i < 6; i++)
        if (crew.members[i].done != 1)
            return false;
    return !shelf.things && !wait_anybody(SHELF, 0);
}

/*
 * One call is in the table and makes its second attempt; another sleeps behind it. A notification
 * of one finds the first, which then succeeds without it: it must reach the second.
 */
struct pair {
    struct shelf shelf;
    uint32_t first, second; /* attempts */
};

static k42_result second_attempt(struct pair *pair) {
    k42_result result = shelf_take(&pair->shelf);
    __atomic_fetch_add(&pair->second, 1, __ATOMIC_RELEASE);
    return result;
}

static void be_second(struct member *self) {
    k42_result result;
    struct pair *pair = self->shared;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, second_attempt(pair));
    k42_exit();
    self->done = (uint64_t)result;
}

static k42_result first_attempt(struct pair *pair, bool *started) {
    if (!pair->first++)
        return wait_on(SHELF, 0, WAIT_READ);
    *started = crew_start(&crew, 1, false, be_second, pair);
    while (*started && __atomic_load_n(&pair->second, __ATOMIC_ACQUIRE) < 2)
        thread_sleep(100000);
    shelf_put(&pair->shelf, false);
    return 1; /* of something else */
}

KERNEL_CHECK(wait, a_call_that_did_not_need_a_notification_passes_it_on) {
    struct pair pair = {.shelf.id = SHELF};
    bool started = false;
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, first_attempt(&pair, &started));
    k42_exit();
    if (!started)
        return false;
    crew_wait(&crew);
    return result == 1 && crew.members[0].done == 1;
}

/*
 * The same when the first sleeps already, and what it was notified of is not what it goes on with:
 * it succeeds with something else, or waits for it.
 */
struct astray {
    struct pair pair;
    bool waits;
};

static k42_result goes_astray(struct astray *astray) {
    uint32_t attempts = __atomic_add_fetch(&astray->pair.first, 1, __ATOMIC_RELEASE);
    if (attempts <= 2)
        return wait_on(SHELF, 0, WAIT_READ);
    return astray->waits && attempts <= 4 ? wait_on(SHELF2, 0, WAIT_READ) : 1;
}

static void be_astray(struct member *self) {
    k42_result result;
    struct astray *astray = self->shared;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, goes_astray(astray));
    k42_exit();
    self->done = (uint64_t)result;
}

static bool reaches_the_second(bool waits) {
    struct astray astray = {.pair.shelf.id = SHELF, .waits = waits};
    if (!crew_start(&crew, 1, false, be_astray, &astray))
        return false;
    while (__atomic_load_n(&astray.pair.first, __ATOMIC_ACQUIRE) < 2)
        thread_sleep(100000);
    bool started = crew_start(&others, 1, false, be_second, &astray.pair);
    while (started && __atomic_load_n(&astray.pair.second, __ATOMIC_ACQUIRE) < 2)
        thread_sleep(100000);
    shelf_put(&astray.pair.shelf, false);
    if (started)
        crew_wait(&others);
    while (waits && !wait_notify(SHELF2, 0, WAIT_READ, 1))
        thread_sleep(100000);
    crew_wait(&crew);
    return started && others.members[0].done == 1 && crew.members[0].done == 1;
}

KERNEL_CHECK(wait, a_notification_that_led_elsewhere_is_passed_on) {
    return reaches_the_second(false) && reaches_the_second(true);
}

/* ---- ends ---- */

KERNEL_CHECK(wait, a_deadline_ends_a_wait_and_not_before) {
    struct shelf shelf = {.id = SHELF};
    for (uint64_t ns = 1000; ns < 3000000; ns *= 10) {
        uint64_t deadline = time_ns() + ns;
        if (take(&shelf, deadline, 0) != -ETIMEDOUT || time_ns() < deadline)
            return false;
    }
    return take(&shelf, 0, 0) == -ETIMEDOUT && !wait_anybody(SHELF, 0);
}

struct waiting {
    struct shelf shelf;
    unsigned flags;
};

static void take_with_flags(struct member *self) {
    struct waiting *waiting = self->shared;
    self->done = (uint64_t)take(&waiting->shelf, WAIT_FOREVER, waiting->flags);
}

/* What a wait with these flags ends with when it is interrupted like that; one that is not to end
 * by that is given its thing. */
static k42_result ends_with(unsigned flags, uint32_t why, bool by_that) {
    struct waiting waiting = {.shelf.id = SHELF, .flags = flags};
    if (!crew_start(&crew, 1, false, take_with_flags, &waiting))
        return -ENOMEM;
    while (!wait_anybody(SHELF, 0))
        thread_sleep(50000);
    thread_interrupt(crew.members[0].thread, why);
    if (!by_that) {
        thread_sleep(500000); /* time to end all the same */
        shelf_put(&waiting.shelf, false);
    }
    crew_wait(&crew);
    return (k42_result)crew.members[0].done;
}

KERNEL_CHECK(wait, an_interrupt_ends_the_waits_that_allow_it) {
    return ends_with(0, THREAD_INTERRUPTED, true) == -EINTR &&
           ends_with(0, THREAD_KILLED, true) == -EINTR && ends_with(0, THREAD_WORK, false) == 1 &&
           ends_with(WAIT_KILLABLE, THREAD_INTERRUPTED, false) == 1 &&
           ends_with(WAIT_KILLABLE, THREAD_KILLED, true) == -EINTR &&
           ends_with(WAIT_UNINTERRUPTIBLE, THREAD_KILLED | THREAD_INTERRUPTED, false) == 1;
}

KERNEL_CHECK(wait, a_call_that_is_ready_is_not_interrupted) {
    struct shelf shelf = {.id = SHELF, .things = 1};
    thread_interrupt(thread_self(), THREAD_INTERRUPTED);
    bool right = take(&shelf, WAIT_FOREVER, 0) == 1 && take(&shelf, WAIT_FOREVER, 0) == -EINTR;
    return right && thread_take_interrupts(THREAD_INTERRUPTED) == THREAD_INTERRUPTED &&
           !thread_interrupts();
}

static void take_one(struct member *self) {
    self->done = (uint64_t)take(self->shared, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE);
}

KERNEL_CHECK(wait, an_object_that_goes_ends_all_waits_for_it) {
    struct shelf shelf = {.id = SHELF};
    if (!crew_start(&crew, 8, false, take_one, &shelf))
        return false;
    while (!wait_anybody(SHELF, 0))
        thread_sleep(50000);
    __atomic_store_n(&shelf.gone, true, __ATOMIC_SEQ_CST);
    wait_hangup(SHELF, 0);
    crew_wait(&crew);
    for (unsigned i = 0; i < 8; i++)
        if ((k42_result)crew.members[i].done != -K42_STALE)
            return false;
    return true;
}

/* ---- what attempts have in common ---- */

static k42_result note_requests(struct shelf *shelf, uint64_t *requests, unsigned *attempts) {
    if (*attempts < 4)
        requests[*attempts] = wait_request();
    if (++*attempts == 2)
        shelf_put(shelf, false);
    return shelf_take(shelf);
}

KERNEL_CHECK(wait, all_attempts_of_a_call_have_one_request_and_calls_have_different_ones) {
    struct shelf shelf = {.id = SHELF};
    uint64_t requests[4] = {0};
    uint64_t before = wait_request();
    unsigned attempts = 0;
    k42_result result;
    wait_request_end();
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, note_requests(&shelf, requests, &attempts));
    k42_exit();
    uint64_t after = wait_request();
    wait_request_end();
    return result == 1 && attempts == 2 && requests[0] == requests[1] && requests[0] != before &&
           requests[0] != after && before != after;
}

static unsigned resolved;

static k42_result resolve_third(uintptr_t address, uint32_t access, uint64_t deadline,
                                unsigned flags) {
    bool right = address == 0x1000 && access == 2 && deadline == WAIT_FOREVER && !flags;
    return right && ++resolved < 3 ? 0 : -EFAULT;
}

static k42_result fault_times(unsigned times, unsigned *attempts) {
    return (*attempts)++ < times ? wait_fault(0x1000, 2) : 7;
}

KERNEL_CHECK(wait, a_call_goes_on_when_its_page_is_there_or_fails_with_the_pages_error) {
    k42_result (*before)(uintptr_t, uint32_t, uint64_t, unsigned) = wait_resolve_fault;
    k42_result good, bad;
    unsigned attempts = 0;
    wait_resolve_fault = resolve_third;
    k42_enter();
    WAIT_CALL(good, WAIT_FOREVER, 0, fault_times(2, &attempts));
    attempts = 0;
    WAIT_CALL(bad, WAIT_FOREVER, 0, fault_times(2, &attempts));
    k42_exit();
    wait_resolve_fault = before;
    return good == 7 && bad == -EFAULT;
}

/* ---- many points ---- */

#define POINTS 40u

static struct wait_point point_of(k42_id id, uintptr_t key) {
    return (struct wait_point){.id = id, .key = key, .events = WAIT_READ};
}

static void notify_one_point(struct member *self) {
    wait_notify(SHELF, *(uintptr_t *)self->shared, WAIT_READ | WAIT_WRITE, 1);
}

KERNEL_CHECK(wait, a_set_is_woken_by_any_of_its_points_and_says_which) {
    static struct wait_entry entries[POINTS];
    struct wait_set set;
    uintptr_t key = 17;
    wait_set_open(&set);
    for (unsigned i = 0; i < POINTS; i++)
        wait_set_add(&set, &entries[i], point_of(SHELF, i));
    if (wait_notify(SHELF, 16, WAIT_WRITE, WAIT_ALL)) /* not what is waited for, and not counted */
        return false;
    if (!crew_start(&crew, 1, false, notify_one_point, &key))
        return false;
    bool right = wait_sleep(&set, WAIT_FOREVER, 0) == 0;
    crew_wait(&crew);
    right = right && wait_sleep(&set, time_ns() + 1000, 0) == -ETIMEDOUT;
    for (unsigned i = 0; i < POINTS; i++)
        right = wait_remove(&entries[i]) == (i == key ? (uint32_t)WAIT_READ : 0) && right;
    return right && !wait_anybody(SHELF, key);
}

struct watcher {
    struct wait_entry entry;
    uint32_t calls, inside, overlaps, events;
};

static void watched(struct wait_entry *entry, uint32_t events) {
    struct watcher *watcher = k42_container(entry, struct watcher, entry);
    if (__atomic_exchange_n(&watcher->inside, 1, __ATOMIC_ACQUIRE))
        watcher->overlaps++;
    watcher->calls++;
    watcher->events |= events;
    wait_notify(SHELF2, 0, WAIT_READ, 1); /* as one set of points that is watched by another does */
    __atomic_store_n(&watcher->inside, 0, __ATOMIC_RELEASE);
}

static void notify_until_told(struct member *self) {
    while (member_goes_on(self)) {
        wait_notify(SHELF, 0, self->number & 1 ? WAIT_READ : WAIT_WRITE, 1);
        member_count(self);
    }
}

KERNEL_CHECK(wait, a_watchers_function_is_called_once_at_a_time_and_never_after_its_removal) {
    struct watcher watcher = {0};
    struct wait_point point = {.id = SHELF, .events = WAIT_READ | WAIT_WRITE};
    if (!crew_start(&crew, 4, false, notify_until_told, NULL))
        return false;
    for (unsigned round = 0; round < 200; round++) {
        wait_watch(&watcher.entry, point, watched);
        uint32_t calls = __atomic_load_n(&watcher.calls, __ATOMIC_ACQUIRE);
        while (calls == __atomic_load_n(&watcher.calls, __ATOMIC_ACQUIRE))
            thread_yield();
        if (!wait_remove(&watcher.entry) || watcher.inside || watcher.overlaps)
            break;
        calls = watcher.calls;
        thread_yield();
        if (calls != __atomic_load_n(&watcher.calls, __ATOMIC_ACQUIRE))
            watcher.overlaps++;
    }
    crew_end(&crew);
    return !watcher.overlaps && watcher.events == (WAIT_READ | WAIT_WRITE) &&
           !wait_anybody(SHELF, 0);
}
