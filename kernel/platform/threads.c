/*
 * The runtime's threads are kernel threads; it sleeps and wakes by the kernel's parking.
 */
#include "runtime.h"

#include "../arch/x86_64/arch.h"
#include "../sched/sched.h"

uint64_t k42_platform_now_ns(void) {
    return time_ns();
}

uint32_t k42_platform_thread_id(void) {
    return thread_id(thread_self());
}

void k42_platform_thread_name(char name[16]) {
    k42_copy_text(name, 16, thread_name(thread_self()));
}

struct k42_platform_thread *k42_platform_spawn(const char *name, void (*fn)(void *),
                                               void *argument) {
    return (struct k42_platform_thread *)thread_start(name ? name : "k42", fn, argument);
}

void k42_platform_join(struct k42_platform_thread *thread) {
    thread_join((struct thread *)thread);
}

void k42_platform_park(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    thread_park(word, expected, timeout_ns);
}

void k42_platform_wake(uint32_t *word, uint32_t waiters) {
    thread_wake_parked(word, waiters);
}

void k42_platform_yield(void) {
    thread_yield();
}

void k42_platform_go_first(void) {
    const struct thread_policy first = {.priority = RUN_PRIORITIES - 1};
    if (thread_set_policy(thread_self(), &first) < 0)
        k42_platform_panic("there is no priority as high as the first");
}

/* Programs fork; the kernel does not. */
void k42_platform_watch_forks(void (*child)(void)) {
    (void)child;
}

struct search {
    bool (*visit)(uint32_t cpu, const struct k42_calls *calls, bool active, void *context);
    void *context;
};

static bool show(struct thread *thread, void *context) {
    const struct search *search = context;
    uint32_t cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
    bool running = __atomic_load_n(&sched_cpus[cpu]->running, __ATOMIC_RELAXED) == thread;
    const uint64_t *parity = running ? &k42_cpu_head_of(cpu)->parity : &thread->parity;
    return search->visit(cpu, &thread->calls,
                         __atomic_load_n(parity, __ATOMIC_RELAXED) != K42_INACTIVE,
                         search->context);
}

bool k42_platform_each_calls(bool (*visit)(uint32_t cpu, const struct k42_calls *calls, bool active,
                                           void *context),
                             void *context) {
    struct search search = {visit, context};
    return thread_each(show, &search);
}
