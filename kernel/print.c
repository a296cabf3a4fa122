/*
 * Lines for people: formatted on the stack by core's formatter, kept, and written to the serial
 * console.
 *
 * Owns nothing. Lines longer than LINE_SIZE are cut.
 */
#include "print.h"

#include "dev/serial.h"
#include "log.h"
#include "runtime.h"

#include <stdarg.h>

#define LINE_SIZE 512

void print_line(const char *text) {
    size_t length = k42_text_length(text);
    log_keep(text, length);
    serial_write_line(text, length);
}

void print(const char *format, ...) {
    char line[LINE_SIZE];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    print_line(line);
}

void k42_platform_log(const char *line) {
    print_line(line);
}
