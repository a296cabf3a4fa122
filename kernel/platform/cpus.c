/*
 * The runtime's CPUs in the kernel: the machine's, with the same numbers.
 *
 * Every thread is attached, at all times, to the CPU it runs on; so nothing is attached or detached
 * here. A CPU's head lies at its GS base, and what it says of the running thread is exchanged by
 * the scheduler. Each answer is one load by %gs, since a thread that is not active may go on on
 * another CPU between any two instructions.
 */
#include "runtime.h"

#include "../arch/x86_64/arch.h"

/* NULL until the runtime has made this CPU. */
struct k42_cpu_head *k42_platform_head(void) {
    struct k42_cpu_head *self;
    __asm__ volatile("mov %%gs:%c1, %0"
                     : "=r"(self)
                     : "i"(offsetof(struct k42_cpu_head, self))
                     : "memory");
    return self;
}

struct k42_calls *k42_platform_calls(void) {
    struct k42_calls *calls;
    __asm__ volatile("mov %%gs:%c1, %0"
                     : "=r"(calls)
                     : "i"(offsetof(struct k42_cpu_head, calls))
                     : "memory");
    return calls;
}

uint32_t k42_platform_cpu_count(void) {
    return cpu_count();
}

int k42_platform_set_head(struct k42_cpu_head *head) {
    (void)head;
    return 0;
}

int k42_platform_base_free(void) {
    return 1;
}
