/*
 * Interrupts of devices: each is a vector of one CPU, with a handler of its own.
 *
 * Every CPU has its own table, so vectors of different CPUs do not take numbers from each other.
 * A handler runs with interrupts off on that CPU, touches nothing but its driver's registers and
 * rings, and leaves the rest to a thread (work.h).
 */
#ifndef KERNEL_DEV_INTERRUPT_H
#define KERNEL_DEV_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* A vector that somebody has. */
struct interrupt {
    uint32_t cpu;
    uint8_t vector;
};

/* Once, on the boot CPU, when all CPUs run. 0 or -ENOMEM. */
int interrupts_open(void);

/*
 * Takes a vector of a CPU, and from now on calls handler(argument) when it comes. 0; -EBUSY: all of
 * this CPU's are taken; -ENOTSUP: a device cannot reach that CPU. Threads only.
 */
__attribute__((warn_unused_result)) int interrupt_take(uint32_t cpu, void (*handler)(void *),
                                                       void *argument, struct interrupt *interrupt);
/* After this the handler neither runs nor will; the device must have been told before. */
void interrupt_give(struct interrupt interrupt);

/* What a device writes, and where, to raise it (message-signalled interrupts). */
uint64_t interrupt_message_address(struct interrupt interrupt);
uint32_t interrupt_message_data(struct interrupt interrupt);

/*
 * Lets a line of the machine's I/O APICs, numbered as ISA numbers it, raise an interrupt. 0 or
 * -ENODEV: no I/O APIC has that line.
 */
__attribute__((warn_unused_result)) int interrupt_connect_isa(uint8_t line,
                                                              struct interrupt interrupt);

/* How many came that nobody had. */
uint64_t interrupts_stray(void);

#endif
