/*
 * The processor's ports, as far as programs may use them.
 *
 * Each CPU has two task states. The one in its block allows no port, and is what all but a few
 * threads run with; the other one has a map of ports behind it, which is the running thread's. A
 * switch between threads without ports looks at one word (struct user_seldom); one to a thread with
 * some copies its map, 8 KiB.
 *
 * The other task state has its own note of where the stack for entries is. It is that of the thread
 * whose ports are loaded: only kernel threads run in between, which no program enters from.
 *
 * Owns: the other task state of each CPU, changed by that CPU with interrupts off.
 */
#include "cpu.h"

const struct user_ports user_ports_all;

void user_ports_load(struct cpu *cpu, const struct user_ports *ports) {
    struct ports_task *other = cpu_ports_task(cpu->number);
    if (!ports) {
        cpu_task_load(cpu, &cpu->task, sizeof cpu->task);
        return;
    }
    __builtin_memcpy(&other->ports, ports, sizeof *ports);
    other->task.privileged_stack[0] = cpu->task.privileged_stack[0];
    cpu_task_load(cpu, &other->task, sizeof *other);
}

void user_ports_set(struct user_context *context, const struct user_ports *ports) {
    uintptr_t saved = interrupts_save();
    struct user_seldom *seldom = user_state_seldom(context->state);
    seldom->ports = ports;
    seldom->uses = (seldom->uses & ~(uint64_t)SELDOM_PORTS) | (ports ? SELDOM_PORTS : 0);
    if (context == user_current()) {
        struct cpu *cpu = cpu_self();
        cpu->seldom = (cpu->seldom & ~(uint64_t)SELDOM_PORTS) | (seldom->uses & SELDOM_PORTS);
        user_ports_load(cpu, ports);
    }
    interrupts_restore(saved);
}
