/*
 * Checks of whose turn it is, in the kernel: test=policies. What each policy decides is tested on
 * the host (tests/host/test_run_queue.c); here it is that they are obeyed, changed under way, and
 * swapped while threads run, sleep, wake and move.
 */
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/preempt.h"
#include "../sched/run_queue/run_queue.h"
#include "../sched/thread.h"
#include "crew.h"

#include <errno.h>
#include <k42/k42.h>

static struct crew crew;

/* ---- swaps ---- */

#define QUEUES_MOST 2048u
#define SWAPS       240u

static struct {
    k42_ref refs[QUEUES_MOST];
    unsigned count;
} queues;

static long note_queue(const struct k42_object_info *info, void *context) {
    (void)context;
    if (queues.count < QUEUES_MOST)
        queues.refs[queues.count++] = k42_id_ref(info->id);
    return 0;
}

static void live_variously(struct member *self) {
    uint32_t word = 0;
    uint64_t random = self->number + 1;
    while (member_goes_on(self)) {
        random = random * 6364136223846793005ul + 1442695040888963407ul;
        switch (random >> 61) {
        case 0:
            thread_park(&word, 0, 1000 + (random >> 46));
            break;
        case 1:
            k42_enter();
            thread_yield();
            k42_exit();
            break;
        case 2:
            for (unsigned i = 0; i < random >> 52; i++)
                __builtin_ia32_pause();
            break;
        case 3: {
            struct thread_policy policy = {.nice = (int)(random >> 50) % 20};
            if (thread_set_policy(thread_self(), &policy))
                return;
            break;
        }
        default:
            thread_yield();
        }
        member_count(self);
    }
}

/* Each queue from every policy to every other and itself, in `visits` turns of all queues. */
static bool swap_all(unsigned visits) {
    static struct k42_class *const classes[] = {&run_queue_fair, &run_queue_fifo,
                                                &run_queue_realtime, &run_queue_rounds,
                                                &run_queue_throughput};
    enum { CLASSES = sizeof classes / sizeof classes[0] };
    for (unsigned visit = 0; visit < visits; visit++)
        for (unsigned queue = 0; queue < queues.count; queue++) {
            unsigned pair = (visit / 2 + queue) % (CLASSES * CLASSES);
            k42_result result = k42_swap(
                queues.refs[queue], classes[visit % 2 ? pair % CLASSES : pair / CLASSES], NULL);
            if (result) {
                print("swap of queue %u: %s", queue, k42_error_name(result));
                return false;
            }
        }
    return true;
}

/* Back to what they were: of each CPU the first is the one for priorities (sched/hold.c). */
static bool swap_back(void) {
    for (unsigned i = 0; i < queues.count; i++)
        if (k42_swap(queues.refs[i], i % 2 ? &run_queue_fair : &run_queue_realtime, NULL))
            return false;
    return true;
}

KERNEL_CHECK(policies, every_queue_is_swapped_while_threads_run_sleep_and_move) {
    queues.count = 0;
    (void)k42_each_object(&run_queue_interface, note_queue, NULL);
    if (queues.count != 2 * cpu_count() ||
        !crew_start(&crew, crew_some(4), false, live_variously, NULL))
        return false;
    /* An even number; each pair of policies is somebody's. */
    bool swapped = swap_all(queues.count <= 8 ? 60 : (SWAPS / queues.count & ~1u) + 2);
    crew_await(&crew, 20);
    swapped = swapped && swap_back();
    crew_await(&crew, 20);
    crew_end(&crew);
    return swapped;
}

/* ---- turns that are cut short ---- */

/* On the first CPU: the first two compute, the other one interrupts them ten times in each turn. */
static void compute_or_interrupt(struct member *self) {
    static const struct thread_policy first = {.priority = 10};
    uint64_t mask[16] = {1};
    bool computes = self->number < 2;
    if (thread_set_cpus(thread_self(), mask) ||
        (!computes && thread_set_policy(thread_self(), &first)))
        return;
    while (member_goes_on(self)) {
        if (!computes)
            thread_sleep(RUN_SLICE_NS / 10);
        member_count(self);
    }
}

static bool swap_shared(struct k42_class *from, struct k42_class *to) {
    for (unsigned i = 0; i < queues.count; i++) {
        struct k42_swap swap = {.ref = queues.refs[i], .from = from, .to = to};
        k42_result result = k42_swap_run(&swap);
        if (result && result != -ESTALE)
            return false;
    }
    return true;
}

/* Who began a new turn each time would keep the CPU for ever, where turns are in line. */
KERNEL_CHECK(policies, a_turn_that_is_cut_short_goes_on_and_ends) {
    static struct k42_class *const classes[] = {&run_queue_fair, &run_queue_fifo, &run_queue_rounds,
                                                &run_queue_throughput};
    bool right = true;
    queues.count = 0;
    (void)k42_each_object(&run_queue_interface, note_queue, NULL);
    for (unsigned i = 0; right && i < sizeof classes / sizeof classes[0]; i++) {
        if (!swap_shared(&run_queue_fair, classes[i]) ||
            !crew_start(&crew, 3, false, compute_or_interrupt, NULL))
            return false;
        for (unsigned round = 0; round < 5; round++)
            crew_await(&crew, 1);
        crew_end(&crew);
        right = swap_shared(classes[i], &run_queue_fair);
    }
    return right;
}

static long count_ready(const struct k42_object_info *info, void *context) {
    (void)context;
    k42_enter();
    k42_atomic_begin();
    k42_result count = k42_call((run_queue_ref)k42_id_ref(info->id), count);
    k42_atomic_end();
    k42_exit();
    return count < 0 ? count : 0;
}

KERNEL_CHECK(policies, queues_answer_to_others_than_the_scheduler) {
    return k42_each_object(&run_queue_interface, count_ready, NULL) == 0;
}

/* ---- priorities ---- */

struct turns {
    uint32_t go, ran;
};

static void run_when_told(struct member *self) {
    struct turns *turns = self->shared;
    while (!__atomic_load_n(&turns->go, __ATOMIC_ACQUIRE))
        thread_park(&turns->go, 0, 0);
    __atomic_store_n(&turns->ran, 1, __ATOMIC_RELEASE);
}

/* The check moves to the CPU of the one it wakes, which then runs at the first opportunity. */
KERNEL_CHECK(policies, a_thread_with_priority_runs_as_soon_as_it_is_woken) {
    static const struct thread_policy first = {.priority = 10};
    uint64_t masks[16] = {1}, all[16];
    bool right = cpu_count() <= 1024;
    thread_read_cpus(thread_self(), all);
    if (thread_set_cpus(thread_self(), masks))
        return false;
    thread_yield();
    for (unsigned round = 0; right && round < 50; round++) {
        struct turns turns = {0};
        if (!crew_start(&crew, 1, true, run_when_told, &turns) ||
            thread_set_policy(crew.members[0].thread, &first))
            return false;
        thread_sleep(100000);
        preempt_off();
        __atomic_store_n(&turns.go, 1, __ATOMIC_RELEASE);
        thread_wake_parked(&turns.go, 1);
        right = right && !__atomic_load_n(&turns.ran, __ATOMIC_ACQUIRE);
        preempt_on();
        right = right && __atomic_load_n(&turns.ran, __ATOMIC_ACQUIRE);
        crew_wait(&crew);
    }
    return !thread_set_cpus(thread_self(), all) && right;
}

static void note_policy(struct member *self) {
    struct thread_policy policy;
    thread_read_policy(thread_self(), &policy);
    self->done = (uint64_t)(policy.nice + 100);
}

static uint32_t inherited;

static void note_inherited(void *unused) {
    struct thread_policy policy;
    uint64_t mask[16] = {0};
    (void)unused;
    thread_read_policy(thread_self(), &policy);
    thread_read_cpus(thread_self(), mask);
    bool right = policy.nice == 7 && mask[0] == 1 && thread_cpu(thread_self()) == 0;
    __atomic_store_n(&inherited, right ? 1 : 2, __ATOMIC_RELEASE);
}

static void make_heir(struct member *self) {
    static const struct thread_policy nice = {.nice = 7};
    uint64_t mask[16] = {1};
    self->done = 1;
    if (thread_set_policy(thread_self(), &nice) || thread_set_cpus(thread_self(), mask))
        return;
    thread_yield();
    struct thread *heir = thread_create("heir", note_inherited, NULL);
    if (!heir)
        return;
    thread_launch(heir);
    while (!__atomic_load_n(&inherited, __ATOMIC_ACQUIRE))
        thread_sleep(50000);
    self->done = __atomic_load_n(&inherited, __ATOMIC_ACQUIRE) == 1 ? 2 : 1;
}

KERNEL_CHECK(policies, what_a_thread_may_have_is_its_makers) {
    struct thread_policy wrong = {.nice = 20};
    if (thread_set_policy(thread_self(), &wrong) != -EINVAL)
        return false;
    wrong = (struct thread_policy){.priority = 100};
    if (thread_set_policy(thread_self(), &wrong) != -EINVAL)
        return false;
    inherited = 0;
    if (!crew_start(&crew, 1, false, note_policy, NULL))
        return false;
    crew_wait(&crew);
    if (crew.members[0].done != 100 || !crew_start(&crew, 1, false, make_heir, NULL))
        return false;
    crew_wait(&crew);
    return crew.members[0].done == 2;
}

/* ---- CPUs ---- */

static void go_round(struct member *self) {
    for (unsigned i = 0; i < 4 * cpu_count() && i < 4 * 1024; i++) {
        unsigned cpu = (i * 7 + self->number) % cpu_count() % 1024;
        uint64_t mask[16] = {0};
        mask[cpu / 64] = 1ul << cpu % 64;
        if (thread_set_cpus(thread_self(), mask))
            return;
        thread_yield();
        if ((unsigned)k42_cpu() != cpu)
            return;
        thread_sleep(10000);
        if ((unsigned)k42_cpu() != cpu)
            return;
    }
    self->done = 1;
}

KERNEL_CHECK(policies, a_thread_runs_where_it_may_at_once_and_after_sleeping) {
    uint64_t none[16] = {0};
    if (thread_set_cpus(thread_self(), none) != -EINVAL ||
        !crew_start(&crew, 8, false, go_round, NULL))
        return false;
    crew_wait(&crew);
    for (unsigned i = 0; i < 8; i++)
        if (crew.members[i].done != 1)
            return false;
    return true;
}

/* Spinning, sleeping, or waiting for their turns: others send them about. */
KERNEL_CHECK(policies, threads_are_sent_to_other_cpus_whatever_they_do) {
    if (!crew_start(&crew, crew_some(3), false, live_variously, NULL))
        return false;
    for (unsigned round = 0; round < 8; round++) {
        unsigned cpu = round % cpu_count() % 1024;
        uint64_t mask[16] = {0};
        mask[cpu / 64] = 1ul << cpu % 64;
        for (unsigned i = 0; i < crew.size; i++)
            if (thread_set_cpus(crew.members[i].thread, mask))
                return false;
        crew_await(&crew, 3);
        for (unsigned i = 0; i < crew.size; i++)
            while (thread_cpu(crew.members[i].thread) != cpu)
                thread_sleep(50000);
    }
    for (unsigned i = 0; i < crew.size; i++)
        if (thread_set_cpus(crew.members[i].thread, NULL))
            return false;
    crew_end(&crew);
    return true;
}

/* ---- times ---- */

static void work_and_look(struct member *self) {
    struct thread_times before = {0}, after;
    uint64_t begin = time_ns();
    self->done = 1;
    while (member_goes_on(self)) {
        thread_read_times(thread_self(), &after);
        if (after.user_ns < before.user_ns || after.system_ns < before.system_ns ||
            after.user_ns + after.system_ns > time_ns() - begin + 1000000000)
            self->done = 2;
        if (after.user_ns + after.system_ns > 20000000)
            return;
        before = after;
    }
}

KERNEL_CHECK(policies, a_threads_time_only_grows_and_with_its_work) {
    if (!crew_start(&crew, crew_some(2), false, work_and_look, NULL))
        return false;
    crew_wait(&crew);
    for (unsigned i = 0; i < crew.size; i++)
        if (crew.members[i].done != 1)
            return false;
    return true;
}
