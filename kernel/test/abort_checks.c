/*
 * Checks that swaps which cannot be made leave everything as it was, where it takes a machine to
 * show it: test=runtime. A processor that does nothing but take interrupts for longer than any
 * deadline; and an allocation, any one, that finds no memory, for each class that has objects here.
 * What can fail in the runtime itself is shown on the host (tests/host/test_swap_abort.c).
 *
 * Deadlines pass while somebody stays inside until he is told to leave, so time decides nothing.
 */
#include "../../tests/stress/account.h"
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../mem/heap/heap.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/timer.h"
#include "crew.h"
#include "entry.h"

#include <k42/class.h>

static bool is_of(k42_ref ref, const char *class_name) {
    struct k42_object_info info;
    return k42_inspect(ref, &info) >= 0 && k42_text_equal(info.class_name, class_name);
}

/* ---- a processor in interrupts ---- */

#define STORM_NS (3 * K42_SWAP_DEADLINE_NS)
#define PAUSE_NS 100000ul

struct guest {
    account_ref account;
    uint32_t inside, leave;
    k42_result added;
    struct timer timer;
    uint64_t seen; /* when the swap was */
    uint64_t interrupts;
};

/* From when its object is being swapped, again at once, so that this CPU does nothing else. */
static uint64_t rain(struct timer *timer) {
    struct guest *guest = k42_container(timer, struct guest, timer);
    const struct k42_entry *entry = &k42_entries[k42_ref_id((k42_ref)guest->account)];
    uint64_t now = time_ns();
    guest->interrupts++;
    if (!guest->seen && !(__atomic_load_n(&entry->state, __ATOMIC_ACQUIRE) & K42_ENTRY_SWAPPING))
        return now + PAUSE_NS;
    if (!guest->seen)
        guest->seen = now;
    return now < guest->seen + STORM_NS ? now : TIMER_DONE;
}

/* Inside from before the swap until told to leave, on a CPU that has called the object. */
static void stay_in_the_rain(void *argument) {
    struct guest *guest = argument;
    k42_enter();
    guest->added = k42_call(guest->account, add, 1);
    timer_start(&guest->timer, time_ns() + PAUSE_NS, rain);
    __atomic_store_n(&guest->inside, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&guest->leave, __ATOMIC_ACQUIRE))
        thread_park(&guest->leave, 0, 0);
    k42_exit();
    timer_stop(&guest->timer);
}

static void add_ones(struct member *self) {
    while (member_goes_on(self)) {
        k42_enter();
        k42_result result = k42_call(*(account_ref *)self->shared, add, 1);
        k42_exit();
        if (result)
            return;
        member_count(self);
    }
}

KERNEL_CHECK(runtime, a_swap_held_up_by_a_cpu_in_interrupts_is_given_up_and_callers_go_on) {
    static struct crew crew;
    static struct guest guest;
    guest = (struct guest){0};
    if (k42_create(&account_plain, NULL, (k42_ref *)&guest.account) < 0)
        return false;
    struct thread *inside = thread_start_on(cpu_count() - 1, "inside", stay_in_the_rain, &guest);
    while (!__atomic_load_n(&guest.inside, __ATOMIC_ACQUIRE))
        thread_sleep(100000);
    if (!crew_start(&crew, cpu_count(), true, add_ones, &guest.account))
        return false;
    struct k42_swap request = {.ref = (k42_ref)guest.account, .to = &account_spread};
    k42_result result = k42_swap_run(&request);
    bool as_before = is_of((k42_ref)guest.account, account_plain.name);
    crew_await(&crew, 10);
    __atomic_store_n(&guest.leave, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&guest.leave, 1);
    thread_join(inside);
    bool swapped = swap_surely((k42_ref)guest.account, &account_spread);
    crew_await(&crew, 10);
    crew_end(&crew);
    long sum = guest.added == 0;
    for (uint32_t i = 0; i < crew.size; i++)
        sum += (long)crew.members[i].done;
    k42_enter();
    struct k42_pair balance = k42_call(guest.account, balance);
    k42_exit();
    if (result != -ETIMEDOUT || !guest.seen || (long)balance.word != sum)
        print("swap: %s, %lu interrupts, balance %ld of %ld", request.report.text, guest.interrupts,
              (long)balance.word, sum);
    return result == -ETIMEDOUT && as_before && guest.seen && swapped &&
           (long)balance.word == sum && k42_destroy((k42_ref)guest.account) == 0;
}

/* ---- no memory ---- */

static struct {
    const struct thread *thread; /* whose allocations are counted */
    unsigned left;               /* the one that is refused; 0: none */
    unsigned refused;
} shortage;

static bool refuses(void) {
    if (thread_self() != shortage.thread || !shortage.left || --shortage.left)
        return false;
    shortage.refused++;
    return true;
}

struct trial {
    struct k42_class *from;
    k42_id id;
    unsigned pairs;
    bool right;
};

/* Has each allocation of the swap fail, one after the other, until it needs no more of them. */
static bool starve(const struct trial *trial, struct k42_class *to) {
    for (unsigned number = 1; number < 100; number++) {
        struct k42_swap request = {
            .ref = k42_id_ref(trial->id), .from = trial->from, .to = to, .attempts = 100};
        shortage.refused = 0;
        shortage.left = number;
        k42_result result = k42_swap_run(&request);
        shortage.left = 0;
        if (!shortage.refused)
            return number > 2 && !result && swap_surely(request.ref, trial->from);
        if (result != -ENOMEM || !is_of(request.ref, trial->from->name)) {
            print("%s to %s, allocation %u: %s", trial->from->name, to->name, number,
                  request.report.text);
            return false;
        }
    }
    return false;
}

static long starve_to(const struct k42_class_info *info, void *context) {
    struct trial *trial = context;
    /* One class of accounts fails by itself. */
    if (info->current && info->class_ != &account_brittle &&
        k42_class_can_become(trial->from, info->class_)) {
        trial->pairs++;
        trial->right = starve(trial, info->class_) && trial->right;
    }
    return 0;
}

static long starve_class(const struct k42_class_info *info, void *context) {
    struct trial *trial = context;
    trial->from = info->class_;
    if (k42_class_instances(trial->from, &trial->id))
        k42_each_class(starve_to, trial);
    return 0;
}

KERNEL_CHECK(runtime, without_memory_at_any_step_each_object_there_is_stays_what_it_was) {
    struct trial trial = {.right = true};
    k42_ref accounts[2] = {0};
    struct k42_class *const classes[] = {&account_plain, &account_spread};
    for (unsigned i = 0; i < 2; i++)
        if (k42_create(classes[i], NULL, &accounts[i]) < 0)
            return false;
    /* On one CPU, which has traced a swap: room for its events is no part of what is refused. */
    uint64_t here[16] = {1}, all[16];
    thread_read_cpus(thread_self(), all);
    if (thread_set_cpus(thread_self(), here))
        return false;
    while (cpu_number())
        thread_yield();
    trial.right = swap_surely(accounts[0], &account_spread);
    shortage.thread = thread_self();
    heap_set_refuser(refuses);
    k42_each_class(starve_class, &trial);
    heap_set_refuser(NULL);
    trial.right = !thread_set_cpus(thread_self(), all) && trial.right;
    for (unsigned i = 0; i < 2; i++)
        trial.right = k42_destroy(accounts[i]) == 0 && trial.right;
    print("%u pairs of classes", trial.pairs);
    return trial.right && trial.pairs > 10 && k42_defer_flush() == 0;
}
