/*
 * One deadline a CPU: the APIC's one-shot timer, by the time-stamp counter where the processor
 * offers that.
 *
 * Owns: each CPU's timer members, touched by that CPU with interrupts off. A deadline that is
 * farther away than the counter reaches, or comes early by rounding, is armed again by the
 * interrupt.
 */
#include "cpu.h"

static void arm(struct cpu *cpu) {
    if (features.tsc_deadline) {
        apic_deadline(clock_ticks_at(cpu->timer_deadline));
        return;
    }
    uint64_t now = time_ns();
    uint64_t wait = cpu->timer_deadline > now ? cpu->timer_deadline - now : 0;
    if (wait > 1000000000)
        wait = 1000000000;
    uint64_t ticks = wait * clock_timer_rate() / 1000000000 + 1;
    apic_timer_start(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
}

static void expired(struct trap_frame *frame) {
    (void)frame;
    interrupt_end();
    struct cpu *cpu = cpu_self();
    if (!cpu->timer)
        return;
    if (time_ns() < cpu->timer_deadline) {
        arm(cpu);
        return;
    }
    void (*fn)(void) = cpu->timer;
    cpu->timer = NULL;
    fn();
}

void timer_set(uint64_t deadline, void (*fn)(void)) {
    struct cpu *cpu = cpu_self();
    cpu->timer = fn;
    cpu->timer_deadline = deadline;
    if (fn)
        arm(cpu);
}

void timer_open(void) {
    trap_handle(VECTOR_TIMER, expired);
}
