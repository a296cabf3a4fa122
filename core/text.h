/*
 * Text for reports and messages, without a C library. Any context; the caller's memory.
 */
#ifndef K42_CORE_TEXT_H
#define K42_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

size_t k42_text_length(const char *text);
int k42_text_equal(const char *a, const char *b);

/* printf's %s %u %d %lu %ld %x %lx %p %% into `out`, always terminated; returns what was written.
 */
size_t k42_format_text(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t k42_format_list(char *out, size_t size, const char *format, va_list list);

/* Copies as much as there is room for, always terminated; NULL is empty. */
void k42_copy_text(char *out, size_t size, const char *text);

/* One line for people: on the log, and as the last one. */
void k42_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void k42_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
