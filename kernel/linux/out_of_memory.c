/*
 * Who goes when memory is out and nothing can be given back: the process that has most of it, with
 * what its oom_score_adj adds. Never the first one, nor one whose adjustment is the least.
 *
 * While one that was chosen is still on its way out nobody else is. That is not over with its end:
 * its memory comes back by deferred work, some of which defers more. So a number of rounds of that
 * must have passed since somebody was last seen ending.
 */
#include "../mem/pm/pm.h"
#include "../print.h"
#include "../sched/wait.h"
#include "call.h"
#include "process/charge.h"
#include "process/ids.h"
#include "process/lives.h"
#include "system.h"

#include <k42/k42.h>

#define NEVER_ADJUSTMENT (-1000)

struct candidate {
    process_ref process;
    struct process_info info;
    uint64_t resident, score;
    char name[TASK_NAME];
};

/* False: it is not to be chosen. */
static bool look(int number, uint64_t total, struct candidate *candidate) {
    candidate->process = ids_process(number);
    struct k42_pair found = k42_call(candidate->process, thread, 0, 1);
    k42_result adjustment = k42_call(candidate->process, number, PROCESS_OUT_OF_MEMORY_ADJUSTMENT);
    if (found.result < 0 || adjustment == NEVER_ADJUSTMENT ||
        k42_call(candidate->process, info, &candidate->info) < 0 || candidate->info.pid != number ||
        number == 1)
        return false;
    struct task *task = (struct task *)found.word;
    struct space_usage usage;
    if (k42_call(task->space, usage, &usage) < 0)
        return false;
    int64_t score = (int64_t)(usage.resident + usage.out) + adjustment * (int64_t)(total / 1000);
    candidate->resident = usage.resident;
    candidate->score = score > 0 ? (uint64_t)score : 0;
    __builtin_memcpy(candidate->name, task->name, sizeof candidate->name);
    return true;
}

#define ROUNDS 8u

static struct {
    struct k42_defer defer;
    uint32_t left; /* rounds; one too few if somebody is seen ending as a round ends */
    bool asked;    /* for the next one */
} coming;

static void round_is_over(struct k42_defer *defer) {
    (void)defer;
    __atomic_sub_fetch(&coming.left, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&coming.asked, false, __ATOMIC_RELEASE);
}

/* Whether memory is on its way from one that was ended. */
static bool more_comes(bool somebody_ends) {
    if (somebody_ends)
        __atomic_store_n(&coming.left, ROUNDS, __ATOMIC_RELAXED);
    else if (!__atomic_load_n(&coming.left, __ATOMIC_RELAXED))
        return false;
    if (!__atomic_exchange_n(&coming.asked, true, __ATOMIC_ACQUIRE))
        k42_defer(&coming.defer, round_is_over);
    return true;
}

static bool kill_largest(void) {
    struct candidate largest = {.score = 0}, candidate;
    uint64_t total, available;
    bool found = false;
    system_memory(&total, &available);
    for (int number = ids_next(2); number; number = ids_next(number + 1)) {
        if (!look(number, total, &candidate))
            continue;
        if (candidate.info.ending)
            return more_comes(true);
        if (!found || candidate.score > largest.score)
            largest = candidate;
        found = true;
    }
    if (more_comes(false))
        return true;
    if (!found)
        return false;
    print("linux: out of memory: killing %s (%d), which has %lu MiB of %lu", largest.name,
          largest.info.pid, largest.resident >> 8, total >> 8);
    struct signal_info info = signal_from_kernel(SIGKILL);
    (void)!signal_process(largest.info.pid, &info); /* or it has just ended by itself */
    return more_comes(true);
}

static bool out_of_memory(void) {
    k42_enter();
    bool found = kill_largest();
    k42_exit();
    return found;
}

#define PATIENCE_NS 5000000ul

/* Who is at a limit of his own is no matter of the others. */
static bool is_limited(void) {
    const struct task_memory *memory = task_self()->memory;
    return memory && memory->charge;
}

bool out_of_memory_wait(void) {
    if (is_limited() || !out_of_memory() || (thread_interrupts() & THREAD_KILLED))
        return false;
    thread_sleep(PATIENCE_NS);
    return true;
}

enum { TRIES_MOST = 32, AWAITED_MOST = 64 };

static k42_result take_one(pm_ref pm, uint64_t *frame) {
    struct k42_pair taken = k42_call(pm, take, 0, 0);
    *frame = taken.word;
    return taken.result;
}

/* Frames that are had mean that there is more than the kernel's reserve again, and room below the
 * limit of who has one. */
static bool await(unsigned frames) {
    pm_ref pm = is_limited() ? charge_pm(task_self()->memory->charge) : pm_machine;
    uint64_t taken[AWAITED_MOST];
    unsigned count = 0;
    k42_result result = 0;
    while (result >= 0 && count < frames) {
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, take_one(pm, &taken[count]));
        count += result >= 0;
    }
    while (count)
        (void)!k42_call(pm, give, taken[--count], 0, 0);
    return result >= 0;
}

void memory_begin(struct memory_attempt *attempt) {
    *attempt = (struct memory_attempt){.refused = pm_refused(), .awaited = 1};
}

/* Twice as many frames each time, since nobody knows how many an attempt needs at once. */
bool memory_again(struct memory_attempt *attempt) {
    if (pm_refused() == attempt->refused || attempt->tries++ == TRIES_MOST ||
        !await(attempt->awaited))
        return false;
    attempt->refused = pm_refused();
    attempt->awaited *= attempt->awaited < AWAITED_MOST ? 2 : 1;
    return true;
}

/* Whoever ends touches a few pages more, and gives all of them back then. */
static bool is_ending(void) {
    struct task *task = task_self();
    return task && task->ending;
}

void out_of_memory_open(void) {
    pm_out_of_memory = out_of_memory;
    pm_is_ending = is_ending;
}
