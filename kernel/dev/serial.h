/* The first serial port, as a console for lines of text. */
#ifndef KERNEL_SERIAL_H
#define KERNEL_SERIAL_H

#include <stddef.h>

void serial_open(void);
/* Writes the text and a newline in one piece; any context. */
void serial_write_line(const char *text, size_t length);
/* Returns when the last byte is on the wire; before the machine ends. */
void serial_drain(void);

#endif
