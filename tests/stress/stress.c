/*
 * What a stress run's threads do, and the account of it all (stress.h).
 *
 * Owns: the objects and each thread's tally, of one run at a time.
 */
#include "stress.h"

#include "account.h"

static const struct stress_options *options;

enum operation { CALL, PASS, BECOME, SWAP, BATCH, HOOK, UPGRADE, REPLACE, TRIM, REATTACH, KINDS };
static const char *const operation_names[KINDS] = {
    "call", "pass", "become", "swap", "batch", "hook", "upgrade", "replace", "trim", "reattach"};

static account_ref accounts[STRESS_OBJECTS_MAX];
static uint32_t stop;
static uint64_t objects_before;

struct tally {
    uint64_t done[KINDS], refused[KINDS];
    long added;
    enum operation failed; /* valid when `failure` is an error */
    k42_result failure;
};

static struct worker {
    uint64_t random;
    struct tally tally;
} workers[STRESS_THREADS_MAX];

static uint64_t next_random(struct worker *worker) {
    uint64_t x = worker->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return worker->random = x;
}

static unsigned pick(struct worker *worker, unsigned count) {
    return (unsigned)(next_random(worker) >> 33) % count;
}

static account_ref some_account(struct worker *worker) {
    return __atomic_load_n(&accounts[pick(worker, options->objects)], __ATOMIC_ACQUIRE);
}

static struct k42_class *some_class(struct worker *worker) {
    struct k42_class *const classes[] = {&account_plain, &account_plain2, &account_spread,
                                         &account_brittle};
    return classes[pick(worker, 4)];
}

/* Notes an outcome; one that the operation may not have is a failure. */
static void note(struct worker *worker, enum operation operation, k42_result result,
                 const k42_result *allowed) {
    if (result >= 0) {
        worker->tally.done[operation]++;
        return;
    }
    worker->tally.refused[operation]++;
    for (; *allowed; allowed++)
        if (*allowed == result)
            return;
    worker->tally.failed = operation;
    worker->tally.failure = result;
    stress_stop();
}

static const k42_result only_stale[] = {-K42_STALE, 0};
static const k42_result swap_errors[] = {-K42_STALE, -EBUSY, -ETIMEDOUT, -EIO, -ENOSPC, 0};
static const k42_result hook_errors[] = {-K42_STALE, -EBUSY, 0};
static const k42_result upgrade_errors[] = {-EBUSY, -ETIMEDOUT, -EIO, 0};

static void do_calls(struct worker *worker) {
    account_ref ref = some_account(worker);
    k42_enter();
    for (unsigned i = pick(worker, 64); i; i--) {
        long amount = pick(worker, 100);
        k42_result result = k42_call(ref, add, amount);
        if (!result)
            worker->tally.added += amount;
        note(worker, CALL, result, only_stale);
    }
    k42_exit();
}

static void do_pass(struct worker *worker) {
    account_ref first = some_account(worker), second = some_account(worker);
    long amount = pick(worker, 100);
    k42_enter();
    k42_result result = k42_call(first, pass, second, pick(worker, 4), amount);
    k42_exit();
    if (!result)
        worker->tally.added += amount;
    note(worker, PASS, result, only_stale);
}

static void do_become(struct worker *worker) {
    account_ref ref = some_account(worker);
    k42_enter();
    k42_result result = k42_call(ref, become, some_class(worker));
    k42_exit();
    note(worker, BECOME, result, only_stale);
}

static void do_swap(struct worker *worker) {
    struct k42_swap request = {.ref = (k42_ref)some_account(worker),
                               .to = some_class(worker),
                               .deadline_ns = 1000ull << pick(worker, 15)};
    note(worker, SWAP, k42_swap_run(&request), swap_errors);
}

static void do_batch(struct worker *worker) {
    struct k42_swap requests[16], *pointers[16];
    for (unsigned i = 0; i < 16; i++) {
        requests[i] =
            (struct k42_swap){.ref = (k42_ref)some_account(worker), .to = some_class(worker)};
        pointers[i] = &requests[i];
    }
    note(worker, BATCH, k42_swap_batch(pointers, 16), only_stale);
    for (unsigned i = 0; i < 16; i++)
        note(worker, SWAP, requests[i].report.result, swap_errors);
}

static void hook_after(struct k42_hook *hook, struct k42_invocation *call) {
    if (call->method_name[0] == 'b' && call->method_name[1] == 'a' && call->result)
        stress_die("the balance of an account that lives is an error");
    __atomic_fetch_add((uint64_t *)hook->context, 1, __ATOMIC_RELAXED);
}

static void do_hook(struct worker *worker) {
    uint64_t seen = 0;
    struct k42_hook hook = {.after = hook_after, .context = &seen};
    account_ref ref = some_account(worker);
    k42_result result = k42_interpose((k42_ref)ref, &hook);
    note(worker, HOOK, result, hook_errors);
    if (result < 0)
        return;
    do_calls(worker);
    note(worker, HOOK, k42_release(&hook), hook_errors);
}

static void do_upgrade(struct worker *worker) {
    struct k42_upgrade upgrade = {
        .to = pick(worker, 2) ? &account_plain : &account_plain2,
        .mode = (enum k42_upgrade_mode)pick(worker, 3),
        .batch = 1 + pick(worker, 100),
        .attempts = 2,
    };
    note(worker, UPGRADE, k42_upgrade(&upgrade), upgrade_errors);
}

static void do_replace(struct worker *worker) {
    k42_ref made;
    k42_result result = k42_create(some_class(worker), NULL, &made);
    note(worker, REPLACE, result, only_stale);
    if (result < 0)
        return;
    account_ref old = __atomic_exchange_n(&accounts[pick(worker, options->objects)],
                                          (account_ref)made, __ATOMIC_ACQ_REL);
    note(worker, REPLACE, k42_destroy((k42_ref)old), only_stale);
}

static void do_trim(struct worker *worker) {
    static const k42_result errors[] = {-EBUSY, 0};
    uint32_t cpu = pick(worker, 2) ? (uint32_t)k42_cpu() : pick(worker, k42_cpu_limit());
    note(worker, TRIM, k42_trim(cpu), errors);
}

static void do_reattach(struct worker *worker) {
    k42_result result = k42_detach();
    if (!result)
        result = k42_attach("stress");
    note(worker, REATTACH, result, only_stale);
}

static void do_something(struct worker *worker) {
    unsigned dice = pick(worker, 1000);
    if (dice < 600)
        do_calls(worker);
    else if (dice < 800)
        do_pass(worker);
    else if (dice < 840)
        do_become(worker);
    else if (dice < 900)
        do_swap(worker);
    else if (dice < 910)
        do_batch(worker);
    else if (dice < 940)
        do_hook(worker);
    else if (dice < 950)
        do_upgrade(worker);
    else if (dice < 980)
        do_replace(worker);
    else if (dice < 990)
        do_trim(worker);
    else
        do_reattach(worker);
}

void stress_work(unsigned number) {
    struct worker *worker = &workers[number];
    worker->random = (options->seed + number + 1) * 0x9e3779b97f4a7c15ull | 1;
    if (k42_attach("stress") < 0)
        stress_die("a thread cannot attach");
    while (!stress_stopped())
        do_something(worker);
    if (k42_detach() < 0)
        stress_die("a thread cannot detach");
}

/* ---- the account of it all ---- */

static long balances(void) {
    long sum = 0;
    if (k42_attach("auditor") < 0)
        stress_die("the auditor cannot attach");
    k42_enter();
    for (unsigned i = 0; i < options->objects; i++) {
        struct k42_pair balance = k42_call(accounts[i], balance);
        sum += balance.result < 0 ? 0 : (long)balance.word;
    }
    k42_exit();
    if (k42_detach() < 0)
        stress_die("the auditor cannot detach");
    return sum;
}

static int audit(const struct tally *all) {
    struct k42_stats stats;
    int failures = 0;
    if (k42_swap_flush() < 0)
        stress_die("swaps cannot be waited for");
    long held = balances();
    /* The calls may have been the turn of instances that are upgraded lazily. */
    if (k42_swap_flush() < 0)
        stress_die("swaps cannot be waited for");
    for (unsigned i = 0; i < 4; i++)
        if (k42_defer_flush() < 0)
            stress_die("deferred work cannot be waited for");
    k42_stats(&stats);
    long retired = __atomic_load_n(&account_retired, __ATOMIC_RELAXED);
    stress_say("added %ld, held %ld, retired %ld: %s", all->added, held, retired,
               all->added == held + retired ? "adds up" : "DOES NOT ADD UP");
    failures += all->added != held + retired;
    stress_say("left: %lu mediators, %lu interposers, %lu roots for %lu objects",
               stats.mediators_live, stats.interposers_live, stats.roots_live, stats.objects);
    failures += stats.mediators_live || stats.interposers_live;
    failures += stats.roots_live != stats.objects || stats.objects != objects_before;
    return failures;
}

int stress_report(void) {
    struct tally all = {0};
    int failures = 0;
    for (unsigned w = 0; w < options->threads; w++) {
        const struct tally *tally = &workers[w].tally;
        for (unsigned k = 0; k < KINDS; k++) {
            all.done[k] += tally->done[k];
            all.refused[k] += tally->refused[k];
        }
        all.added += tally->added;
        if (tally->failure) {
            stress_say("thread %u: %s returned %s", w, operation_names[tally->failed],
                       k42_error_name(tally->failure));
            failures++;
        }
    }
    for (unsigned k = 0; k < KINDS; k++)
        stress_say("%s: %lu done, %lu refused", operation_names[k], all.done[k], all.refused[k]);
    return failures + audit(&all);
}

/* ---- the run ---- */

long stress_begin(const struct stress_options *wanted) {
    options = wanted;
    stop = 0;
    account_retired = 0;
    for (unsigned i = 0; i < options->threads; i++)
        workers[i] = (struct worker){0};
    for (unsigned i = 0; i < options->objects; i++) {
        k42_ref ref;
        k42_result result = k42_create(&account_plain, NULL, &ref);
        if (result < 0)
            return result;
        accounts[i] = (account_ref)ref;
    }
    struct k42_stats stats;
    k42_stats(&stats);
    objects_before = stats.objects;
    stress_say("seed %lu, %u threads, %u objects", options->seed, options->threads,
               options->objects);
    return 0;
}

void stress_stop(void) {
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

int stress_stopped(void) {
    return __atomic_load_n(&stop, __ATOMIC_RELAXED) != 0;
}
