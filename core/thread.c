/*
 * Threads on a ledger: the only threads in which a component's code may sleep.
 *
 * Each is attached and inactive when its function starts. Stopping is asked for, not forced. Owns:
 * the list of threads. Locking: threads_lock for the list. Fails: NULL when none can be started.
 */
#include "component.h"

struct k42_thread {
    struct k42_thread *next;
    struct k42_module *module;
    struct k42_platform_thread *platform;
    void (*fn)(void *);
    void *context;
    char name[16];
    uint32_t stop; /* slept on */
};

static struct k42_lock threads_lock;
static struct k42_thread *threads;

static void thread_main(void *argument) {
    struct k42_thread *thread = argument;
    if (k42_attach(thread->name) < 0) {
        k42_log("thread %s cannot attach and does not run", thread->name);
        return;
    }
    k42_platform_calls()->thread = thread;
    thread->fn(thread->context);
    k42_platform_calls()->thread = NULL;
    if (k42_detach() < 0)
        k42_panic("thread %s ended while active", thread->name);
}

struct k42_thread *k42_thread_start_from(struct k42_module *module, const char *name,
                                         void (*fn)(void *), void *context) {
    struct k42_thread *thread = k42_platform_alloc(sizeof *thread);
    if (!thread)
        return NULL;
    k42_copy_text(thread->name, sizeof thread->name, name);
    thread->module = module;
    thread->fn = fn;
    thread->context = context;
    k42_lock(&threads_lock);
    thread->platform = k42_platform_spawn(name, thread_main, thread);
    if (thread->platform) {
        thread->next = threads;
        threads = thread;
        k42_ledger_add(module, K42_LEDGER_THREADS, 1);
    }
    k42_unlock(&threads_lock);
    if (thread->platform)
        return thread;
    k42_platform_free(thread);
    return NULL;
}

int k42_thread_should_stop(void) {
    struct k42_calls *calls = k42_platform_calls();
    return calls && calls->thread && k42_load_acquire(&calls->thread->stop);
}

void k42_thread_sleep(uint64_t ns) {
    struct k42_calls *calls = k42_platform_calls();
    uint32_t never = 0;
    k42_platform_park(calls && calls->thread ? &calls->thread->stop : &never, 0, ns);
}

static void thread_unlist(struct k42_thread *thread) {
    struct k42_thread **link = &threads;
    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
}

static void thread_end(struct k42_thread *thread) {
    k42_store_release(&thread->stop, 1);
    k42_platform_wake(&thread->stop, 1);
    k42_platform_join(thread->platform);
    k42_ledger_add(thread->module, K42_LEDGER_THREADS, -1);
    k42_platform_free(thread);
}

void k42_thread_join(struct k42_thread *thread) {
    k42_lock(&threads_lock);
    thread_unlist(thread);
    k42_unlock(&threads_lock);
    thread_end(thread);
}

void k42_threads_stop(struct k42_component *component) {
    for (;;) {
        k42_lock(&threads_lock);
        struct k42_thread *thread = threads;
        while (thread && (!thread->module || thread->module->component != component))
            thread = thread->next;
        if (thread)
            thread_unlist(thread);
        k42_unlock(&threads_lock);
        if (!thread)
            return;
        thread_end(thread);
    }
}
