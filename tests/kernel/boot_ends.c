/*
 * Ways for the kernel to end, each asked for by name: test=panic, test=fault, test=overflow,
 * test=halted and test=power_off. Whoever boots it looks whether it ended that way; a check that
 * returns has failed.
 */
#include "arch/x86_64/arch.h"
#include "kernel.h"
#include "print.h"

KERNEL_CHECK(panic, a_panic_ends_the_machine) {
    panic("asked for");
}

KERNEL_CHECK(fault, a_write_to_nothing_ends_the_machine) {
    uintptr_t nothing = 8;
    __asm__("" : "+r"(nothing));
    *(volatile uint32_t *)nothing = 1;
    return false;
}

static unsigned overflow_stack(unsigned depth) {
    volatile char room[256];
    room[0] = (char)depth;
    return depth ? overflow_stack(depth - 1) + (unsigned)room[0] : 0;
}

KERNEL_CHECK(overflow, a_stack_without_end_ends_the_machine) {
    return overflow_stack(~0u) == 1;
}

static uint32_t halting;

static void halt_for_ever(void) {
    __atomic_store_n(&halting, 1, __ATOMIC_RELEASE);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void halt_soon(void *unused) {
    (void)unused;
    timer_set(time_ns(), halt_for_ever);
}

/* A panic must still stop and show a CPU that takes no interrupts. */
KERNEL_CHECK(halted, a_cpu_that_takes_no_interrupts_is_shown) {
    cpu_call(cpu_count() - 1, halt_soon, NULL);
    while (!__atomic_load_n(&halting, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    panic("asked for");
}

KERNEL_CHECK(power_off, power_off_ends_the_machine) {
    machine_power_off();
}
