/*
 * The kernel's last lines, kept for whoever asks later (dmesg).
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_TEXT 240 /* bytes of a line that are kept, with the zero at the end */

struct log_line {
    uint64_t number; /* lines have their numbers in turn, from 1 on */
    uint64_t ns;     /* time_ns() when it was written */
    char text[LOG_TEXT];
};

/* Keeps a line; the oldest goes. Any context. */
void log_keep(const char *text, size_t length);

/* The number of the last line; 0: there is none. */
uint64_t log_last(void);
/* Copies the first line that is kept and has this number or a later one. Returns its number, or 0.
 */
uint64_t log_read(uint64_t number, struct log_line *line);

#endif
