/*
 * Stress: random creates, calls, swaps, interpositions, upgrades and destroys on many threads.
 *
 *     stress [--seconds S] [--threads N] [--objects N] [--seed SEED] [--only OPERATION,...]
 *
 * A seed fixes each thread's sequence of operations (how they interleave is the machine's), so a
 * failure is tried again with the seed it printed. At the end all must add up (account.h), every
 * error must be one that the operation may return, and nothing may be left: no mediator, no
 * interposer, no root but the factories'.
 */
#include "account.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OBJECTS_MAX 4096

static struct {
    double seconds;
    unsigned threads, objects;
    uint64_t seed;
    unsigned wanted; /* bit by operation */
} options = {.seconds = 5, .threads = 4, .objects = 64, .wanted = ~0u};

enum operation { CALL, PASS, BECOME, SWAP, BATCH, HOOK, UPGRADE, REPLACE, TRIM, REATTACH, KINDS };
static const char *const operation_names[KINDS] = {
    "call", "pass", "become", "swap", "batch", "hook", "upgrade", "replace", "trim", "reattach"};

static account_ref accounts[OBJECTS_MAX];
static uint32_t stop;

struct tally {
    uint64_t done[KINDS], refused[KINDS];
    long added;
    char failure[200];
};

struct worker {
    pthread_t thread;
    unsigned number;
    uint64_t random;
    struct tally tally;
};

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
    return __atomic_load_n(&accounts[pick(worker, options.objects)], __ATOMIC_ACQUIRE);
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
    snprintf(worker->tally.failure, sizeof worker->tally.failure, "%s returned %s",
             operation_names[operation], k42_error_name(result));
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
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
    if (!strcmp(call->method_name, "balance") && call->result)
        abort();
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
    account_ref old = __atomic_exchange_n(&accounts[pick(worker, options.objects)],
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

/* How often each is done, in a thousand. */
static const struct {
    unsigned share;
    void (*act)(struct worker *);
} operations[KINDS] = {
    [CALL] = {600, do_calls},       [PASS] = {200, do_pass},      [BECOME] = {40, do_become},
    [SWAP] = {60, do_swap},         [BATCH] = {10, do_batch},     [HOOK] = {30, do_hook},
    [UPGRADE] = {10, do_upgrade},   [REPLACE] = {30, do_replace}, [TRIM] = {10, do_trim},
    [REATTACH] = {10, do_reattach},
};

static void do_something(struct worker *worker) {
    unsigned dice = pick(worker, 1000);
    enum operation operation = CALL;
    while (dice >= operations[operation].share)
        dice -= operations[operation++].share;
    if (options.wanted >> operation & 1)
        operations[operation].act(worker);
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    worker->random = (options.seed + worker->number + 1) * 0x9e3779b97f4a7c15ull | 1;
    if (k42_attach("stress") < 0)
        abort();
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        do_something(worker);
    if (k42_detach() < 0)
        abort();
    return NULL;
}

/* ---- the account of it all ---- */

static long balances(void) {
    long sum = 0;
    if (k42_attach("auditor") < 0)
        abort();
    k42_enter();
    for (unsigned i = 0; i < options.objects; i++) {
        struct k42_pair balance = k42_call(accounts[i], balance);
        sum += balance.result < 0 ? 0 : (long)balance.word;
    }
    k42_exit();
    if (k42_detach() < 0)
        abort();
    return sum;
}

static long count_class(const struct k42_class_info *info, void *context) {
    (void)info;
    ++*(uint64_t *)context;
    return 0;
}

static int audit(const struct tally *all) {
    struct k42_stats stats;
    int failures = 0;
    if (k42_swap_flush() < 0)
        abort();
    long held = balances();
    for (unsigned i = 0; i < 4; i++)
        if (k42_defer_flush() < 0)
            abort();
    k42_stats(&stats);
    long retired = __atomic_load_n(&account_retired, __ATOMIC_RELAXED);
    printf("added %ld, held %ld, retired %ld: %s\n", all->added, held, retired,
           all->added == held + retired ? "adds up" : "DOES NOT ADD UP");
    failures += all->added != held + retired;
    printf("left: %lu mediators, %lu interposers, %lu roots for %lu objects\n",
           stats.mediators_live, stats.interposers_live, stats.roots_live, stats.objects);
    uint64_t families = 0;
    k42_each_class(count_class, &families);
    failures += stats.mediators_live || stats.interposers_live;
    failures +=
        stats.roots_live != stats.objects || stats.objects != options.objects + families - 1;
    return failures;
}

static int report(struct worker *workers) {
    struct tally all = {0};
    int failures = 0;
    for (unsigned w = 0; w < options.threads; w++) {
        const struct tally *tally = &workers[w].tally;
        for (unsigned k = 0; k < KINDS; k++) {
            all.done[k] += tally->done[k];
            all.refused[k] += tally->refused[k];
        }
        all.added += tally->added;
        if (tally->failure[0]) {
            printf("thread %u: %s\n", w, tally->failure);
            failures++;
        }
    }
    for (unsigned k = 0; k < KINDS; k++)
        printf("%-9s %10lu done %9lu refused\n", operation_names[k], all.done[k], all.refused[k]);
    return failures + audit(&all);
}

/* To narrow a failure down: only the named operations are done. */
static void parse_only(char *list) {
    options.wanted = 0;
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        unsigned operation = 0;
        while (operation < KINDS && strcmp(operation_names[operation], name))
            operation++;
        if (operation == KINDS) {
            fprintf(stderr, "stress: no operation is called %s; there are", name);
            for (unsigned i = 0; i < KINDS; i++)
                fprintf(stderr, " %s", operation_names[i]);
            fprintf(stderr, "\n");
            exit(2);
        }
        options.wanted |= 1u << operation;
    }
}

static void parse(int argc, char **argv) {
    options.seed = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && !strcmp(argv[i], "--seconds"))
            options.seconds = atof(value);
        else if (value && !strcmp(argv[i], "--threads"))
            options.threads = (unsigned)atoi(value);
        else if (value && !strcmp(argv[i], "--objects"))
            options.objects = (unsigned)atoi(value);
        else if (value && !strcmp(argv[i], "--seed"))
            options.seed = strtoull(value, NULL, 0);
        else if (value && !strcmp(argv[i], "--only"))
            parse_only(argv[i + 1]);
        else {
            fprintf(stderr,
                    "stress: unknown option %s; usage: stress [--seconds S] [--threads N] "
                    "[--objects N] [--seed SEED] [--only OPERATION,...]\n",
                    argv[i]);
            exit(2);
        }
    }
    if (!options.threads || !options.objects || options.objects > OBJECTS_MAX) {
        fprintf(stderr, "stress: needs at least one thread and 1 to %u objects\n", OBJECTS_MAX);
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    struct worker *workers = calloc(options.threads, sizeof *workers);
    if (!workers || k42_init(NULL) < 0)
        return 2;
    for (unsigned i = 0; i < options.objects; i++) {
        k42_ref ref;
        if (k42_create(&account_plain, NULL, &ref) < 0)
            return 2;
        accounts[i] = (account_ref)ref;
    }
    printf("seed %lu, %u threads, %u objects, %.0f s\n", options.seed, options.threads,
           options.objects, options.seconds);
    fflush(stdout);
    for (unsigned i = 0; i < options.threads; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]))
            return 2;
    }
    struct timespec rest = {(time_t)options.seconds,
                            (long)((options.seconds - (double)(time_t)options.seconds) * 1e9)};
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) && nanosleep(&rest, &rest) && errno == EINTR)
        ;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < options.threads; i++)
        pthread_join(workers[i].thread, NULL);
    int failures = report(workers);
    if (k42_shutdown() < 0)
        failures++;
    free(workers);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
