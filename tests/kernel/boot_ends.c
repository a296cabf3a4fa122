/*
 * Ways for the kernel to end, each asked for by name: test=panic, test=fault, test=overflow,
 * test=halted, test=power_off and test=fast_reboot. Whoever boots it looks whether it ended that
 * way; a check that returns has failed.
 */
#include "arch/x86_64/arch.h"
#include "kernel.h"
#include "print.h"
#include "runtime.h"
#include "sched/thread.h"

#include <errno.h>

#define KERNEL_LOWEST 0x100000
#define TOO_SHORT     0x10000 /* for a kernel, but with its headers */

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

#define PATIENCE_NS 200000000ul
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

/*
 * A panic must still stop and show a CPU that takes no interrupts. Where that CPU switches threads
 * just then, its timer is set for something else, and it has to be asked again. It must not be
 * ours.
 */
KERNEL_CHECK(halted, a_cpu_that_takes_no_interrupts_is_shown) {
    uint64_t asked = 0, first[16] = {1};
    if (cpu_count() < 2 || thread_set_cpus(thread_self(), first))
        return false;
    while (cpu_number())
        thread_yield();
    while (!__atomic_load_n(&halting, __ATOMIC_ACQUIRE)) {
        if (time_ns() - asked > PATIENCE_NS) {
            cpu_call(cpu_count() - 1, halt_soon, NULL);
            asked = time_ns();
        }
        __builtin_ia32_pause();
    }
    panic("asked for");
}

KERNEL_CHECK(power_off, power_off_ends_the_machine) {
    machine_power_off();
}

/* What the next kernel is to do: this again, as often as `times` says, then the check `then`. */
static bool next_options(char *line, size_t size) {
    char then[32], port[8], times[4];
    if (!boot_option("then", then, sizeof then) || !boot_option("exit-port", port, sizeof port) ||
        !boot_option("times", times, sizeof times))
        return false;
    if (times[0] > '1')
        k42_format_text(line, size, "exit-port=%s test=fast_reboot then=%s times=%u", port, then,
                        (unsigned)(times[0] - '1'));
    else
        k42_format_text(line, size, "exit-port=%s test=%s", port, then);
    return true;
}

static void start_first_module(void *line) {
    int error = machine_fast_reboot(phys_to_virt(boot_modules[0].base), boot_modules[0].size,
                                    boot_modules, 1, line);
    print("it says %d", error);
}

/* The kernel in the first module is started, with that module again, from the last CPU, which is
 * the boot CPU only if there is no other. */
KERNEL_CHECK(fast_reboot, another_kernel_is_started_from_memory) {
    char line[128];
    if (!boot_module_count || !next_options(line, sizeof line))
        return false;
    void *image = phys_to_virt(boot_modules[0].base);
    size_t size = boot_modules[0].size;
    struct boot_module over = {KERNEL_LOWEST, FRAME_SIZE}, nowhere = {1ul << 45, FRAME_SIZE};
    if (machine_fast_reboot(image, TOO_SHORT, NULL, 0, line) != -ENOEXEC ||
        machine_fast_reboot(image, size, &over, 1, line) != -ENXIO ||
        machine_fast_reboot(image, size, &nowhere, 1, line) != -ENXIO)
        return false;
    struct thread *thread = thread_start_on(cpu_count() - 1, "reboot", start_first_module, line);
    if (thread)
        thread_join(thread);
    return false;
}
