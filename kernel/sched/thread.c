/*
 * Threads' lives: stacks, starting, ending, joining, and the list of all.
 *
 * A stack is five pages of addresses: one that is never mapped, so that overflowing is a fault, and
 * 16 KiB, at whose top the thread's record stands. Stacks of threads that have ended are kept for
 * the next ones, so starting a thread seldom maps anything, and a record's memory stays a record's.
 *
 * Locking: threads.lock, leaf, with interrupts off. Fails: NULL when there is no memory for a
 * stack.
 */
#include "sched.h"

#include "../mem/frame/frame.h"
#include "../print.h"

#include <errno.h>

#define STACK_ORDER  2 /* a block of frames */
#define STACK_SIZE   (FRAME_SIZE << STACK_ORDER)
#define STACK_STRIDE (STACK_SIZE + FRAME_SIZE)
#define STACKS       (KERNEL_HEAP + KERNEL_HEAP_SIZE / 2)

static struct {
    struct spin_lock lock;
    struct thread *newest; /* all that are alive */
    struct thread *spare;  /* stacks of those that have ended, linked by `older` */
    uintptr_t mapped;      /* bytes of addresses used */
    uint32_t numbers;      /* given out; a record keeps its number */
    uint64_t alive;
} threads;

static uintptr_t threads_lock(void) {
    uintptr_t saved = interrupts_save();
    spin_take(&threads.lock);
    return saved;
}

static void threads_unlock(uintptr_t saved) {
    spin_release(&threads.lock);
    interrupts_restore(saved);
}

/* Takes the first bytes of a stack's mapping away and frees its memory. */
static struct thread *stack_unmap(uintptr_t base, size_t bytes, struct frame *frame) {
    for (uintptr_t page = base; page < base + bytes; page += FRAME_SIZE)
        kernel_unmap(page);
    tlb_flush_all(base, bytes / FRAME_SIZE);
    frame_free(frame, STACK_ORDER);
    return NULL;
}

/* Of a stack that could not be mapped the addresses stay unused; there are two TiB of them. */
static struct thread *stack_map(void) {
    struct frame *frame;
    if (frame_allocate(STACK_ORDER, NULL, &frame))
        return NULL;
    uintptr_t stride = __atomic_fetch_add(&threads.mapped, STACK_STRIDE, __ATOMIC_RELAXED);
    uintptr_t base = STACKS + stride + FRAME_SIZE;
    for (uintptr_t at = 0; at < STACK_SIZE; at += FRAME_SIZE)
        if (kernel_map(base + at, frame_physical(frame) + at, KERNEL_WRITE))
            return stack_unmap(base, at, frame);
    struct thread *thread = (struct thread *)(base + STACK_SIZE - sizeof *thread);
    thread->calls.owner = __atomic_add_fetch(&threads.numbers, 1, __ATOMIC_RELAXED);
    return thread;
}

static struct thread *stack_take(void) {
    uintptr_t saved = threads_lock();
    struct thread *thread = threads.spare;
    if (thread)
        threads.spare = thread->older;
    threads_unlock(saved);
    return thread ? thread : stack_map();
}

static void list_add(struct thread *thread) {
    uintptr_t saved = threads_lock();
    thread->older = threads.newest;
    if (thread->older)
        thread->older->newer = thread;
    threads.newest = thread;
    threads.alive++;
    threads_unlock(saved);
}

struct thread *thread_make(const char *name, void (*fn)(void *), void *argument) {
    struct thread *thread = stack_take();
    if (!thread)
        return NULL;
    uint32_t number = thread->calls.owner;
    *thread =
        (struct thread){.parity = K42_INACTIVE, .pinned = ANY_CPU, .fn = fn, .argument = argument};
    thread->calls.owner = number;
    k42_copy_text(thread->calls.name, sizeof thread->calls.name, name);
    /* As thread_switch() leaves a stack: six registers, then where to go on. */
    uint64_t *top = (uint64_t *)((uintptr_t)thread & ~63ul);
    *--top = (uintptr_t)thread_entry;
    for (unsigned i = 0; i < 6; i++)
        *--top = 0;
    thread->stack = top;
    list_add(thread);
    return thread;
}

void thread_free(struct thread *thread) {
    uintptr_t saved = threads_lock();
    if (thread->newer)
        thread->newer->older = thread->older;
    else
        threads.newest = thread->older;
    if (thread->older)
        thread->older->newer = thread->newer;
    threads.alive--;
    thread->older = threads.spare;
    threads.spare = thread;
    threads_unlock(saved);
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
    return k42_container(k42_platform_calls(), struct thread, calls);
}

uint32_t thread_id(const struct thread *thread) {
    return thread->calls.owner;
}

const char *thread_name(const struct thread *thread) {
    return thread->calls.name;
}

uint64_t thread_count(void) {
    return __atomic_load_n(&threads.alive, __ATOMIC_RELAXED);
}

bool thread_each(bool (*visit)(struct thread *thread, void *context), void *context) {
    uintptr_t saved = threads_lock();
    struct thread *thread = threads.newest;
    while (thread && !visit(thread, context))
        thread = thread->older;
    threads_unlock(saved);
    return thread != NULL;
}
