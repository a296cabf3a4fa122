/*
 * The kernel as a whole: where the processor's part hands over, and how checks are registered.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>

/* On the boot CPU when all CPUs run; on each other one. Interrupts are off. */
_Noreturn void kernel_main(void);
_Noreturn void kernel_secondary(void);

/* One line: how many CPUs, how much memory, which of their features are in use. */
void boot_print_machine(void);
/* Prints where the time since entry went. */
void boot_print_times(void);

/*
 * Checks that run in the kernel itself: the option test=NAME runs all of that name and ends the
 * machine with 0 when every one passed. A check prints what was wrong and returns false.
 */
struct kernel_check {
    const char *name; /* of the group, for test=NAME */
    const char *what; /* a statement about the system */
    bool (*holds)(void);
};

#define KERNEL_CHECK(group, statement)                                                             \
    static bool statement(void);                                                                   \
    static const struct kernel_check check_##statement = {#group, #statement, statement};          \
    static const struct kernel_check *const listed_##statement                                     \
        __attribute__((section("kernel_checks"), used)) = &check_##statement;                      \
    static bool statement(void)

#endif
