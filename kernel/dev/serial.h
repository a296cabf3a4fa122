/* The first serial port, as a console for lines of text. */
#ifndef KERNEL_SERIAL_H
#define KERNEL_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_LINE 4 /* of the ISA bus, by which it interrupts */

void serial_open(void);
/* Writes the text and a newline in one piece; any context. */
void serial_write_line(const char *text, size_t length);
/* False: there is no port, and the rest does nothing. */
bool serial_present(void);

/*
 * What the port interrupts for, from now on: bytes that have arrived, room for bytes to send.
 * Any context; each a change of one of the two alone.
 */
void serial_want_received(bool wanted);
void serial_want_room(bool wanted);
/* Says that an interrupt was seen; true when there was a reason for it. */
bool serial_interrupted(void);
/* A byte that has arrived, or -1. */
int serial_get(void);
/*
 * Sends what next() gives until that is -1 or the port has no room; next() runs with interrupts off
 * and may not print. At the -1 the port stops interrupting for room, in the same step: so whoever
 * makes more to send, and then wants room, is not missed.
 */
void serial_send(int (*next)(void *context), void *context);
/* Returns when the last byte is on the wire; before the machine ends. */
void serial_drain(void);

#endif
