/*
 * A line of output, written at once: what test programs and the cases of ../abi say is whole lines,
 * whoever else writes.
 */
#ifndef LINE_H
#define LINE_H

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Makes one, with the newline; returns its length, at most `size`. */
static inline size_t line_make(char *line, size_t size, const char *format, va_list list) {
    int wanted = vsnprintf(line, size, format, list);
    size_t length = wanted < 0 ? 0 : (size_t)wanted < size ? (size_t)wanted : size - 1;
    line[length++] = '\n';
    return length;
}

static inline void line_write(const char *line, size_t length) {
    if (write(1, line, length) != (ssize_t)length)
        _exit(99);
}

#endif
