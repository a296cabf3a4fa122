/*
 * Checks of the object runtime where it runs in the kernel, with threads on all CPUs:
 * test=runtime.
 *
 * They look at what a kernel adds to what the host's tests prove: several threads take turns on one
 * CPU of the runtime, are preempted anywhere, and go on on other CPUs. The objects are the stress
 * run's accounts. Deadlines are long, since an emulated CPU may stand still for a while; no check
 * is decided by time.
 */
#include "../../tests/stress/account.h"
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "crew.h"
#include "platform.h"

#define PATIENT_NS 30000000000ul
#define WHILE_NS   20000000ul /* in which what must not happen would */

static struct crew crew;

static uint32_t many(void) {
    return crew_some(3);
}

static account_ref account_make(struct k42_class *class_) {
    k42_ref ref = K42_NULL_REF;
    if (k42_create(class_, NULL, &ref) < 0)
        print("cannot create an account");
    return (account_ref)ref;
}

static long account_balance(account_ref account) {
    k42_enter();
    struct k42_pair balance = k42_call(account, balance);
    k42_exit();
    return balance.result < 0 ? balance.result : (long)balance.word;
}

static k42_result account_add(account_ref account, long amount) {
    k42_enter();
    k42_result result = k42_call(account, add, amount);
    k42_exit();
    return result;
}

static bool account_end(account_ref account) {
    return k42_destroy((k42_ref)account) == 0 && k42_defer_flush() == 0;
}

/* Adds 1 over and over, counts successes; gives up at the first error. */
static void add_ones(struct member *self) {
    account_ref account = *(account_ref *)self->shared;
    while (member_goes_on(self)) {
        k42_result result = account_add(account, 1);
        if (result) {
            print("adding returned %s", k42_error_name(result));
            return;
        }
        member_count(self);
    }
}

static long crew_total(void) {
    long total = 0;
    for (uint32_t i = 0; i < crew.size; i++)
        total += (long)crew.members[i].done;
    return total;
}

static bool balance_is(account_ref account, long expected) {
    long balance = account_balance(account);
    if (balance != expected)
        print("balance %ld, expected %ld", balance, expected);
    return balance == expected;
}

/* ---- calls ---- */

KERNEL_CHECK(runtime, every_cpu_is_a_cpu_of_the_runtime) {
    return k42_cpu_limit() == cpu_count() && k42_attached() && !k42_active();
}

static bool count_calls(struct k42_class *class_, bool pinned) {
    account_ref account = account_make(class_);
    if (!crew_start(&crew, many(), pinned, add_ones, &account))
        return false;
    crew_await(&crew, 200);
    crew_end(&crew);
    return balance_is(account, crew_total()) && account_end(account);
}

KERNEL_CHECK(runtime, calls_from_all_cpus_reach_one_object) {
    return count_calls(&account_plain, true);
}

KERNEL_CHECK(runtime, representatives_of_all_cpus_add_up) {
    return count_calls(&account_spread, true);
}

KERNEL_CHECK(runtime, threads_that_move_find_the_representative_of_where_they_are) {
    return count_calls(&account_spread, false);
}

KERNEL_CHECK(runtime, a_trimmed_table_finds_its_objects_again) {
    account_ref account = account_make(&account_spread);
    if (!crew_start(&crew, many(), true, add_ones, &account))
        return false;
    bool trimmed = true;
    /* Each trim takes a grace period, which takes the longer the more CPUs are there to pass. */
    unsigned rounds = 20 * 4 / cpu_count();
    rounds = rounds < 2 ? 2 : rounds < 20 ? rounds : 20;
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
            trimmed = trimmed && k42_trim(cpu) == 0;
        crew_await(&crew, 10);
    }
    crew_end(&crew);
    return trimmed && balance_is(account, crew_total()) && account_end(account);
}

KERNEL_CHECK(runtime, a_destroyed_object_is_stale_and_ends) {
    account_ref account = account_make(&account_plain);
    long retired = __atomic_load_n(&account_retired, __ATOMIC_RELAXED);
    bool added = account_add(account, 42) == 0;
    bool ended = account_end(account) && k42_defer_flush() == 0;
    return added && ended && account_add(account, 1) == -K42_STALE &&
           __atomic_load_n(&account_retired, __ATOMIC_RELAXED) == retired + 42;
}

/* ---- swaps, hooks, upgrades ---- */

static bool swap_patiently(account_ref account, struct k42_class *to) {
    struct k42_swap request = {
        .ref = (k42_ref)account, .to = to, .deadline_ns = PATIENT_NS, .attempts = 4};
    k42_result result = k42_swap_run(&request);
    if (result < 0)
        print("swap: %s: %s", k42_error_name(result), request.report.text);
    return result == 0;
}

KERNEL_CHECK(runtime, swaps_under_callers_on_all_cpus_lose_nothing) {
    account_ref account = account_make(&account_plain);
    if (!crew_start(&crew, many(), false, add_ones, &account))
        return false;
    bool swapped = true;
    for (unsigned round = 0; round < 24 && swapped; round++) {
        swapped = swap_patiently(account, round & 1 ? &account_plain : &account_spread);
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    return swapped && balance_is(account, crew_total()) && account_end(account);
}

/* Two threads, each inside one account on the way to the other, while both are swapped. */
static void pass_across(struct member *self) {
    account_ref *accounts = self->shared;
    account_ref first = accounts[self->number & 1], second = accounts[~self->number & 1];
    while (member_goes_on(self)) {
        k42_enter();
        k42_result result = k42_call(first, pass, second, 3, 1);
        k42_exit();
        if (result) {
            print("passing returned %s", k42_error_name(result));
            return;
        }
        member_count(self);
    }
}

KERNEL_CHECK(runtime, two_swaps_do_not_deadlock_over_callers_that_cross) {
    account_ref accounts[2] = {account_make(&account_plain), account_make(&account_plain)};
    if (!crew_start(&crew, many(), false, pass_across, accounts))
        return false;
    bool swapped = true;
    for (unsigned round = 0; round < 16 && swapped; round++) {
        struct k42_class *to = round & 1 ? &account_plain : &account_spread;
        struct k42_swap requests[2] = {
            {.ref = (k42_ref)accounts[0], .to = to, .deadline_ns = PATIENT_NS, .attempts = 4},
            {.ref = (k42_ref)accounts[1], .to = to, .deadline_ns = PATIENT_NS, .attempts = 4}};
        struct k42_swap *both[2] = {&requests[0], &requests[1]};
        swapped = k42_swap_batch(both, 2) == 2;
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    return swapped && account_balance(accounts[0]) + account_balance(accounts[1]) == crew_total() &&
           account_end(accounts[0]) && account_end(accounts[1]);
}

KERNEL_CHECK(runtime, a_swap_asked_for_from_inside_is_carried_out) {
    account_ref account = account_make(&account_plain);
    k42_enter();
    k42_result asked = k42_call(account, become, &account_spread);
    k42_exit();
    struct k42_swap_report report;
    bool done = asked == K42_QUEUED && k42_swap_flush() == 0 && account_add(account, 5) == 0;
    struct k42_swap check = {.ref = (k42_ref)account,
                             .to = &account_plain,
                             .from = &account_spread,
                             .deadline_ns = PATIENT_NS};
    done = done && k42_swap_run(&check) == 0;
    report = check.report;
    return done && report.phase == K42_SWAP_DONE && balance_is(account, 5) && account_end(account);
}

static void count_after(struct k42_hook *hook, struct k42_invocation *call) {
    (void)call;
    __atomic_fetch_add((uint64_t *)hook->context, 1, __ATOMIC_RELAXED);
}

KERNEL_CHECK(runtime, a_hook_sees_each_call_under_callers_and_swaps) {
    account_ref account = account_make(&account_plain);
    uint64_t seen = 0;
    struct k42_hook hook = {.after = count_after, .context = &seen};
    if (k42_interpose((k42_ref)account, &hook) ||
        !crew_start(&crew, many(), false, add_ones, &account))
        return false;
    bool swapped = true;
    for (unsigned round = 0; round < 12 && swapped; round++) {
        swapped = swap_patiently(account, round & 1 ? &account_plain : &account_spread);
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    bool counted = seen == (uint64_t)crew_total();
    return swapped && counted && k42_release(&hook) == 0 && balance_is(account, crew_total()) &&
           account_end(account);
}

#define INSTANCES 300
static account_ref instances[INSTANCES];

static void add_to_all(struct member *self) {
    for (unsigned i = self->number; member_goes_on(self); i++) {
        if (account_add(instances[i % INSTANCES], 1))
            return;
        member_count(self);
    }
}

KERNEL_CHECK(runtime, an_upgrade_under_callers_converts_every_instance) {
    for (unsigned i = 0; i < INSTANCES; i++)
        instances[i] = account_make(&account_plain);
    if (!crew_start(&crew, many(), false, add_to_all, NULL))
        return false;
    struct k42_upgrade up = {.to = &account_plain2, .deadline_ns = PATIENT_NS, .batch = 64};
    struct k42_upgrade down = {.to = &account_plain, .deadline_ns = PATIENT_NS};
    bool upgraded = k42_upgrade(&up) == 0 && up.converted == INSTANCES;
    crew_await(&crew, 50);
    upgraded = upgraded && k42_upgrade(&down) == 0 && down.converted == INSTANCES;
    crew_end(&crew);
    long sum = 0;
    bool ended = true;
    for (unsigned i = 0; i < INSTANCES; i++) {
        sum += account_balance(instances[i]);
        ended = ended && k42_destroy((k42_ref)instances[i]) == 0;
    }
    return upgraded && ended && sum == crew_total() && k42_defer_flush() == 0;
}

/* ---- grace periods ---- */

struct stay {
    uint32_t inside, leave, asleep, elapsed;
};

static void stay_inside(void *argument) {
    struct stay *stay = argument;
    k42_enter();
    __atomic_store_n(&stay->inside, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&stay->leave, __ATOMIC_ACQUIRE))
        if (stay->asleep)
            thread_park(&stay->leave, 0, 0);
    k42_exit();
}

static void wait_for_grace(void *argument) {
    struct stay *stay = argument;
    if (k42_synchronize() == 0)
        __atomic_store_n(&stay->elapsed, 1, __ATOMIC_RELEASE);
}

/* The thread that stays is preempted, or asleep, most of the time; others enter and leave there. */
static bool grace_waits_for(bool asleep) {
    static struct crew others;
    account_ref account = account_make(&account_plain);
    struct stay stay = {.asleep = asleep};
    struct thread *inside = thread_start_on(0, "inside", stay_inside, &stay);
    while (!__atomic_load_n(&stay.inside, __ATOMIC_ACQUIRE))
        thread_sleep(100000);
    if (!crew_start(&others, cpu_count(), true, add_ones, &account))
        return false;
    struct thread *waiter = thread_start("waiter", wait_for_grace, &stay);
    crew_await(&others, 100);
    thread_sleep(WHILE_NS);
    bool early = __atomic_load_n(&stay.elapsed, __ATOMIC_ACQUIRE);
    __atomic_store_n(&stay.leave, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&stay.leave, 1);
    thread_join(waiter);
    thread_join(inside);
    crew_end(&others);
    return !early && stay.elapsed && account_end(account);
}

KERNEL_CHECK(runtime, a_grace_period_waits_for_an_active_thread_that_is_preempted) {
    return grace_waits_for(false);
}

KERNEL_CHECK(runtime, a_grace_period_waits_for_an_active_thread_that_is_asleep) {
    return grace_waits_for(true);
}

static void pass_safe_points(struct member *self) {
    k42_enter();
    while (member_goes_on(self)) {
        k42_safe_point();
        member_count(self);
    }
    k42_exit();
}

KERNEL_CHECK(runtime, grace_periods_pass_threads_at_safe_points) {
    if (!crew_start(&crew, many(), false, pass_safe_points, NULL))
        return false;
    bool passed = true;
    for (unsigned round = 0; round < 20; round++)
        passed = passed && k42_synchronize() == 0;
    crew_end(&crew);
    return passed;
}

static uint32_t deferred_ran;

static void note_deferred(struct k42_defer *defer) {
    (void)defer;
    __atomic_fetch_add(&deferred_ran, 1, __ATOMIC_RELEASE);
}

KERNEL_CHECK(runtime, deferred_work_of_all_cpus_runs_once) {
    enum { EACH = 50 };
    static struct k42_defer defers[EACH];
    for (unsigned round = 0; round < 10; round++) {
        deferred_ran = 0;
        for (unsigned i = 0; i < EACH; i++)
            k42_defer(&defers[i], note_deferred);
        if (k42_defer_flush() || __atomic_load_n(&deferred_ran, __ATOMIC_ACQUIRE) != EACH)
            return false;
    }
    return true;
}

KERNEL_CHECK(runtime, a_swap_that_is_held_up_names_the_thread) {
    account_ref account = account_make(&account_plain);
    struct stay stay = {.asleep = true};
    bool added = account_add(account, 1) == 0;
    struct thread *inside = thread_start_on((uint32_t)k42_cpu(), "inside", stay_inside, &stay);
    while (!__atomic_load_n(&stay.inside, __ATOMIC_ACQUIRE))
        thread_sleep(100000);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        if (!crew_start(&crew, cpu_count(), true, add_ones, &account))
            return false;
        crew_await(&crew, 2);
        crew_end(&crew);
    }
    struct k42_swap request = {.ref = (k42_ref)account, .to = &account_spread};
    k42_result result = k42_swap_run(&request);
    uint32_t id = thread_id(inside);
    __atomic_store_n(&stay.leave, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&stay.leave, 1);
    thread_join(inside);
    if (result != -ETIMEDOUT || request.report.holder_thread != id)
        print("swap: %s: %s", k42_error_name(result), request.report.text);
    return added && result == -ETIMEDOUT && request.report.holder_thread == id &&
           account_end(account);
}

/* ---- rendezvous ---- */

struct sections {
    uint32_t inside[CREW_MAX];
};

static void enter_sections(struct member *self) {
    struct sections *sections = self->shared;
    while (member_goes_on(self)) {
        k42_enter();
        k42_atomic_begin();
        k42_atomic_begin();
        __atomic_store_n(&sections->inside[self->number], 1, __ATOMIC_RELAXED);
        for (volatile unsigned i = 0; i < 50; i++)
            ;
        __atomic_store_n(&sections->inside[self->number], 0, __ATOMIC_RELEASE);
        k42_atomic_end();
        k42_atomic_end();
        k42_exit();
        member_count(self);
    }
}

KERNEL_CHECK(runtime, nobody_is_in_an_atomic_section_while_cpus_are_stopped) {
    static struct sections sections;
    if (!crew_start(&crew, many(), false, enter_sections, &sections))
        return false;
    bool outside = true;
    for (unsigned round = 0; round < 20; round++) {
        k42_platform_stop_cpus();
        for (unsigned look = 0; look < 200; look++)
            for (uint32_t i = 0; i < crew.size; i++)
                outside = outside && !__atomic_load_n(&sections.inside[i], __ATOMIC_ACQUIRE);
        k42_platform_start_cpus();
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    return outside;
}

KERNEL_CHECK(runtime, nothing_is_left_of_all_this) {
    struct k42_stats stats;
    for (unsigned i = 0; i < 3; i++)
        if (k42_defer_flush())
            return false;
    k42_stats(&stats);
    return !stats.mediators_live && !stats.interposers_live && stats.roots_live == stats.objects &&
           !stats.defers_pending;
}
