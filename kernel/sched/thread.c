/*
 * Threads' lives: stacks, starting, ending, joining, and the list of all.
 *
 * A stack is five pages of addresses: one that is never mapped, so that overflowing is a fault, and
 * 16 KiB, at whose top the thread's record stands. Stacks of threads that have ended are kept for
 * the next ones, so starting a thread seldom maps anything, and a record's memory stays a record's.
 *
 * A thread is listed at the CPU that made it, its home, and its stack goes back there; so CPUs that
 * start and end threads of their own share nothing.
 *
 * Locking: a home's lock, leaf, with interrupts off. Fails: NULL when there is no memory for a
 * stack.
 */
#include "sched.h"

#include "../mem/frame/frame.h"
#include "../print.h"

#include <errno.h>

#define STACK_PAGES  4u
#define STACK_SIZE   (FRAME_SIZE * STACK_PAGES)
#define STACK_STRIDE (STACK_SIZE + FRAME_SIZE)
#define STACKS       (KERNEL_HEAP + KERNEL_HEAP_SIZE / 2)

struct thread_home {
    struct spin_lock lock;
    struct thread *newest; /* all that are alive */
    struct thread *spare;  /* stacks of those that have ended, linked by `older` */
    uint64_t alive;
} __attribute__((aligned(64)));

static struct thread_home *homes;
static uintptr_t mapped; /* bytes of addresses used for stacks */
static uint32_t numbers; /* given out; a record keeps its number */

void threads_open(void) {
    homes = k42_platform_alloc(cpu_count() * sizeof *homes);
    if (!homes)
        panic("boot: no memory for lists of threads; give the machine more memory");
}

static uintptr_t home_lock(struct thread_home *home) {
    uintptr_t saved = interrupts_save();
    spin_take(&home->lock);
    return saved;
}

static void home_unlock(struct thread_home *home, uintptr_t saved) {
    spin_release(&home->lock);
    interrupts_restore(saved);
}

static void frames_give(struct frame *const *frames, unsigned count) {
    while (count)
        frame_free(frames[--count], 0);
}

/* One by one: when programs' pages come and go, blocks of several are hard to find. */
static bool frames_take(struct frame **frames) {
    for (unsigned page = 0; page < STACK_PAGES; page++)
        if (frame_allocate(0, NULL, &frames[page])) {
            frames_give(frames, page);
            return false;
        }
    return true;
}

/* Takes the first pages of a stack's mapping away and frees its memory. */
static struct thread *stack_unmap(uintptr_t base, unsigned pages, struct frame *const *frames) {
    for (unsigned page = 0; page < pages; page++)
        kernel_unmap(base + page * FRAME_SIZE);
    tlb_flush_all(base, pages);
    frames_give(frames, STACK_PAGES);
    return NULL;
}

/* Of a stack that could not be mapped the addresses stay unused; there are two TiB of them. */
static struct thread *stack_map(void) {
    struct frame *frames[STACK_PAGES];
    if (!frames_take(frames))
        return NULL;
    uintptr_t stride = __atomic_fetch_add(&mapped, STACK_STRIDE, __ATOMIC_RELAXED);
    uintptr_t base = STACKS + stride + FRAME_SIZE;
    for (unsigned page = 0; page < STACK_PAGES; page++)
        if (kernel_map(base + page * FRAME_SIZE, frame_physical(frames[page]), KERNEL_WRITE))
            return stack_unmap(base, page, frames);
    struct thread *thread = (struct thread *)(base + STACK_SIZE - sizeof *thread);
    thread->calls.owner = __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED);
    thread->wait.requests = 0;
    return thread;
}

static struct thread *stack_take(struct thread_home *home) {
    uintptr_t saved = home_lock(home);
    struct thread *thread = home->spare;
    if (thread)
        home->spare = thread->older;
    home_unlock(home, saved);
    return thread ? thread : stack_map();
}

static void list_add(struct thread_home *home, struct thread *thread) {
    uintptr_t saved = home_lock(home);
    thread->home = home;
    thread->older = home->newest;
    if (thread->older)
        thread->older->newer = thread;
    home->newest = thread;
    home->alive++;
    home_unlock(home, saved);
}

struct thread *thread_make(const char *name, void (*fn)(void *), void *argument) {
    struct thread_home *home = &homes[cpu_number()];
    struct thread *thread = stack_take(home);
    if (!thread)
        return NULL;
    uint32_t number = thread->calls.owner;
    uint64_t requests = thread->wait.requests;
    *thread =
        (struct thread){.parity = K42_INACTIVE, .pinned = ANY_CPU, .fn = fn, .argument = argument};
    thread_apply(thread, &thread->wanted);
    thread->calls.owner = number;
    thread->wait.requests = requests;
    k42_copy_text(thread->calls.name, sizeof thread->calls.name, name);
    /* As thread_switch() leaves a stack: six registers, then where to go on. */
    uint64_t *top = (uint64_t *)thread;
    *--top = (uintptr_t)thread_entry;
    for (unsigned i = 0; i < 6; i++)
        *--top = 0;
    thread->stack = top;
    list_add(home, thread);
    return thread;
}

void thread_free(struct thread *thread) {
    struct thread_home *home = thread->home;
    if (thread->run.allowed)
        thread_forget_policy(thread);
    uintptr_t saved = home_lock(home);
    if (thread->newer)
        thread->newer->older = thread->older;
    else
        home->newest = thread->older;
    if (thread->older)
        thread->older->newer = thread->newer;
    home->alive--;
    thread->older = home->spare;
    home->spare = thread;
    home_unlock(home, saved);
}

/* ---- starting and ending ---- */

static struct thread *start(uint32_t cpu, bool alone, const char *name, void (*fn)(void *),
                            void *argument) {
    struct thread *thread = thread_make(name, fn, argument);
    if (!thread)
        return NULL;
    thread->alone = alone;
    thread->pinned = cpu;
    thread_launch(thread);
    return thread;
}

struct thread *thread_start(const char *name, void (*fn)(void *), void *argument) {
    return start(ANY_CPU, false, name, fn, argument);
}

int thread_start_alone(const char *name, void (*fn)(void *), void *argument) {
    return start(ANY_CPU, true, name, fn, argument) ? 0 : -ENOMEM;
}

struct thread *thread_create(const char *name, void (*fn)(void *), void *argument) {
    struct thread *thread = thread_make(name, fn, argument);
    if (thread && thread_inherit(thread)) {
        thread_free(thread);
        return NULL;
    }
    if (thread)
        thread->alone = true;
    return thread;
}

void thread_discard(struct thread *thread) {
    thread_free(thread);
}

struct thread *thread_start_on(uint32_t cpu, const char *name, void (*fn)(void *), void *argument) {
    return start(cpu, false, name, fn, argument);
}

void thread_exit(void) {
    struct thread *self = thread_self();
    if (k42_active())
        panic("thread %s ends while it is active; it should leave the generation first",
              self->calls.name);
    interrupts_disable();
    thread_leave();
}

void thread_join(struct thread *thread) {
    while (!__atomic_load_n(&thread->ended, __ATOMIC_ACQUIRE))
        thread_park(&thread->ended, 0, 0);
    thread_free(thread);
}

/* ---- who ---- */

/* By one load: the calls that the CPU's head points at are the running thread's own. */
struct thread *thread_self(void) {
    struct k42_calls *calls;
    __asm__ volatile("mov %%gs:%c1, %0"
                     : "=r"(calls)
                     : "i"(offsetof(struct k42_cpu_head, calls))
                     : "memory");
    return k42_container(calls, struct thread, calls);
}

uint32_t thread_id(const struct thread *thread) {
    return thread->calls.owner;
}

const char *thread_name(const struct thread *thread) {
    return thread->calls.name;
}

void thread_set_name(struct thread *thread, const char *name) {
    k42_copy_text(thread->calls.name, sizeof thread->calls.name, name);
}

uint32_t thread_cpu(const struct thread *thread) {
    return __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
}

enum thread_activity thread_activity(const struct thread *thread) {
    switch (__atomic_load_n(&thread->state, __ATOMIC_RELAXED)) {
    case THREAD_BLOCKED:
        return THREAD_IS_HELD;
    case THREAD_WAITING:
        return THREAD_SLEEPS;
    case THREAD_ENDED:
        return THREAD_HAS_ENDED;
    default:
        return THREAD_RUNS;
    }
}

/* The record stands above the stack. */
struct thread_stack thread_stack_of(const struct thread *thread) {
    enum thread_state state = __atomic_load_n(&thread->state, __ATOMIC_ACQUIRE);
    if (state != THREAD_BLOCKED && state != THREAD_WAITING)
        return (struct thread_stack){0};
    return (struct thread_stack){__atomic_load_n(&thread->stack, __ATOMIC_RELAXED),
                                 (const uint64_t *)(const void *)thread};
}

struct user_context *thread_user(struct thread *thread) {
    return &thread->user;
}

void thread_set_task(struct thread *thread, void *task) {
    thread->task = task;
}

uint32_t thread_interrupts(void) {
    return __atomic_load_n(&thread_self()->user.work, __ATOMIC_ACQUIRE);
}

uint32_t thread_take_interrupts(uint32_t why) {
    return why & __atomic_fetch_and(&thread_self()->user.work, ~why, __ATOMIC_ACQ_REL);
}

uint64_t thread_stack_frames(void) {
    uint64_t stacks = __atomic_load_n(&mapped, __ATOMIC_RELAXED) / STACK_STRIDE;
    return stacks * STACK_PAGES;
}

uint64_t thread_count(void) {
    uint64_t alive = 0;
    for (unsigned i = 0; i < cpu_count(); i++)
        alive += __atomic_load_n(&homes[i].alive, __ATOMIC_RELAXED);
    return alive;
}

static bool home_each(struct thread_home *home, bool (*visit)(struct thread *thread, void *context),
                      void *context) {
    uintptr_t saved = home_lock(home);
    struct thread *thread = home->newest;
    while (thread && !visit(thread, context))
        thread = thread->older;
    home_unlock(home, saved);
    return thread;
}

bool thread_each(bool (*visit)(struct thread *thread, void *context), void *context) {
    for (unsigned i = 0; i < cpu_count(); i++)
        if (home_each(&homes[i], visit, context))
            return true;
    return false;
}
