/*
 * The flight recorder: a trace in memory that is always on, of events that are rare, for a panic to
 * show what came before it.
 */
#ifndef KERNEL_FLIGHT_H
#define KERNEL_FLIGHT_H

/* Starts it; the boot option trace=PATTERN adds events. Once, in a thread. What goes wrong is said,
 * and there is no recorder. */
void flight_open(void);

/* Prints the newest events of all CPUs, oldest first. For a panic: all other CPUs are stopped. */
void flight_print(void);

#endif
