/* For a panic: stops the other CPUs where they are. */
#ifndef KERNEL_STOPPED_H
#define KERNEL_STOPPED_H

struct trap_frame;

/* By NMI, so that it reaches CPUs with interrupts off; waits at most a second. */
void cpu_stop_others(void);
/* Where a CPU was stopped, or NULL: it does not answer. */
const struct trap_frame *cpu_stopped_at(unsigned number);

static inline void cpu_relax(void) {
    __builtin_ia32_pause();
}

#endif
