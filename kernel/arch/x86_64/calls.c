/*
 * Calls between CPUs: to one, through its list of requests; to all others, through one broadcast
 * that each takes part in once.
 *
 * Whoever waits here serves what others ask of him meanwhile, with interrupts off, so no circle of
 * waiting CPUs can stand still. A request lies on the stack of its sender, who leaves only after
 * `done`, which the receiver writes last; the receiver therefore reads `next` before it runs it.
 *
 * Owns: requests of every block, the broadcast. Orders: the push of a request releases what it
 * says, taking the list acquires; `done` and `left` release what fn did to him who waits.
 */
#include "../../print.h"
#include "cpu.h"
#include "stopped.h"

static struct {
    struct spin_lock lock;
    void (*fn)(void *);
    void *argument;
    uint64_t sequence;
    uint32_t left; /* CPUs that have not run fn yet */
} broadcast;

static unsigned cpus = 1;

unsigned cpu_count(void) {
    return cpus;
}

void smp_count(unsigned count) {
    cpus = count;
}

static void serve_requests(struct cpu *self) {
    if (!__atomic_load_n(&self->requests, __ATOMIC_RELAXED))
        return;
    struct cpu_request *request = __atomic_exchange_n(&self->requests, NULL, __ATOMIC_ACQUIRE);
    while (request) {
        struct cpu_request *next = request->next;
        request->fn(request->argument);
        __atomic_store_n(&request->done, 1, __ATOMIC_RELEASE);
        request = next;
    }
}

static void serve_broadcast(struct cpu *self) {
    uint64_t sequence = __atomic_load_n(&broadcast.sequence, __ATOMIC_ACQUIRE);
    if (sequence == self->broadcast_seen)
        return;
    self->broadcast_seen = sequence;
    broadcast.fn(broadcast.argument);
    __atomic_fetch_sub(&broadcast.left, 1, __ATOMIC_RELEASE);
}

static void serve(void) {
    struct cpu *self = cpu_self();
    serve_requests(self);
    serve_broadcast(self);
}

void cpu_wait_turn(void) {
    uintptr_t saved = interrupts_save();
    serve();
    interrupts_restore(saved);
    __builtin_ia32_pause();
}

static void called(struct trap_frame *frame) {
    (void)frame;
    interrupt_end();
    serve();
}

static void poked(struct trap_frame *frame) {
    (void)frame;
    interrupt_end();
}

static void push(struct cpu *cpu, struct cpu_request *request) {
    request->next = __atomic_load_n(&cpu->requests, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&cpu->requests, &request->next, request, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void cpu_call(unsigned number, void (*fn)(void *), void *argument) {
    uintptr_t saved = interrupts_save();
    if (number == cpu_number()) {
        fn(argument);
    } else {
        struct cpu_request request = {.fn = fn, .argument = argument};
        push(cpu_block(number), &request);
        apic_send(cpu_block(number)->apic_id, APIC_SEND | VECTOR_CALL);
        while (!__atomic_load_n(&request.done, __ATOMIC_ACQUIRE)) {
            serve();
            __builtin_ia32_pause();
        }
    }
    interrupts_restore(saved);
}

/* So many requests lie on the stack at once. */
#define BATCH 16u

struct batch {
    struct cpu_request requests[BATCH];
    unsigned count;
};

static void batch_wait(struct batch *batch) {
    for (unsigned i = 0; i < batch->count; i++)
        while (!__atomic_load_n(&batch->requests[i].done, __ATOMIC_ACQUIRE)) {
            serve();
            __builtin_ia32_pause();
        }
    batch->count = 0;
}

static void batch_send(struct batch *batch, unsigned number, void (*fn)(void *), void *argument) {
    struct cpu_request *request = &batch->requests[batch->count++];
    *request = (struct cpu_request){.fn = fn, .argument = argument};
    push(cpu_block(number), request);
    apic_send(cpu_block(number)->apic_id, APIC_SEND | VECTOR_CALL);
    if (batch->count == BATCH)
        batch_wait(batch);
}

void cpu_call_set(const uint64_t *set, bool (*wanted)(unsigned number, const void *argument),
                  void (*fn)(void *), void *argument) {
    struct batch batch;
    bool here = false;
    uintptr_t saved = interrupts_save();
    unsigned count = cpu_count(), self = cpu_number();
    batch.count = 0;
    for (unsigned word = 0; word * 64 < count; word++) {
        uint64_t bits = __atomic_load_n(&set[word], __ATOMIC_SEQ_CST);
        for (; bits; bits &= bits - 1) {
            unsigned number = word * 64 + (unsigned)__builtin_ctzl(bits);
            if (!wanted(number, argument))
                continue;
            if (number == self)
                here = true;
            else
                batch_send(&batch, number, fn, argument);
        }
    }
    if (here)
        fn(argument);
    batch_wait(&batch);
    interrupts_restore(saved);
}

static void take_broadcast(void) {
    while (__atomic_exchange_n(&broadcast.lock.held, 1, __ATOMIC_ACQUIRE)) {
        serve();
        __builtin_ia32_pause();
    }
}

void cpu_call_others(void (*fn)(void *), void *argument) {
    unsigned count = cpu_count();
    if (count == 1)
        return;
    uintptr_t saved = interrupts_save();
    take_broadcast();
    unsigned self = cpu_number();
    broadcast.fn = fn;
    broadcast.argument = argument;
    __atomic_store_n(&broadcast.left, count - 1, __ATOMIC_RELAXED);
    uint64_t sequence = broadcast.sequence + 1;
    cpu_self()->broadcast_seen = sequence;
    __atomic_store_n(&broadcast.sequence, sequence, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < count; i++)
        if (i != self)
            apic_send(cpu_block(i)->apic_id, APIC_SEND | VECTOR_CALL);
    while (__atomic_load_n(&broadcast.left, __ATOMIC_ACQUIRE)) {
        serve();
        __builtin_ia32_pause();
    }
    spin_release(&broadcast.lock);
    interrupts_restore(saved);
}

/* Taking an interrupt and acknowledging it are not enough on paper; this is. */
static void pass_barrier(void *unused) {
    (void)unused;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void cpu_barrier_all(void) {
    pass_barrier(NULL);
    cpu_call_others(pass_barrier, NULL);
}

void cpu_poke(unsigned number) {
    apic_send(cpu_block(number)->apic_id, APIC_SEND | VECTOR_POKE);
}

/* ---- stopping everybody, for a panic ---- */

static uint32_t stopping;

static void stopped(struct trap_frame *frame) {
    if (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
        panic_trap(frame, "NMI: the hardware reports trouble");
    __atomic_store_n(&cpu_self()->stopped, frame, __ATOMIC_RELEASE);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void cpu_stop_others(void) {
    unsigned count = cpu_count(), self = cpu_number();
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < count; i++)
        if (i != self)
            apic_send(cpu_block(i)->apic_id, APIC_SEND | APIC_NMI);
    uint64_t end = time_ns() + 1000000000;
    for (unsigned i = 0; i < count; i++)
        while (i != self && !__atomic_load_n(&cpu_block(i)->stopped, __ATOMIC_ACQUIRE) &&
               time_ns() < end)
            __builtin_ia32_pause();
}

const struct trap_frame *cpu_stopped_at(unsigned number) {
    return __atomic_load_n(&cpu_block(number)->stopped, __ATOMIC_ACQUIRE);
}

void calls_open(void) {
    trap_handle(VECTOR_CALL, called);
    trap_handle(VECTOR_POKE, poked);
    trap_handle(VECTOR_NMI, stopped);
}
