/*
 * Lines for people, on the serial console. Any context, traps and NMIs included; does not wait
 * except for the wire.
 */
#ifndef KERNEL_PRINT_H
#define KERNEL_PRINT_H

#include <stddef.h>

/* One line; the newline is added. Knows core's k42_format_text conversions. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same text, as it is. */
void print_line(const char *text);

/* Prints the line, the registers (when a trap led here) and every CPU's calls, and ends the
 * machine with a status that is a failure. */
struct trap_frame;
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic_trap(const struct trap_frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
