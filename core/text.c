/*
 * Text for reports, without a C library: the few conversions the runtime's messages use.
 *
 * Pure functions over the caller's memory; any context.
 */
#include "runtime.h"

size_t k42_text_length(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int k42_text_equal(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

void k42_copy_text(char *out, size_t size, const char *text) {
    /* Byte by byte, each whole: names of threads are read while they change. */
    size_t i = 0;
    for (char c; text && i + 1 < size && (c = k42_load_relaxed(&text[i])); i++)
        k42_store_relaxed(&out[i], c);
    k42_store_relaxed(&out[i], 0);
}

struct writer {
    char *out;
    size_t size, length;
};

static void put(struct writer *w, char c) {
    if (w->length + 1 < w->size)
        w->out[w->length++] = c;
}

static void put_text(struct writer *w, const char *text) {
    for (; *text; text++)
        put(w, *text);
}

static void put_number(struct writer *w, unsigned long value, unsigned base) {
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        put(w, digits[--n]);
}

static void put_signed(struct writer *w, long value) {
    if (value < 0)
        put(w, '-');
    put_number(w, value < 0 ? 0ul - (unsigned long)value : (unsigned long)value, 10);
}

size_t k42_format_list(char *out, size_t size, const char *format, va_list list) {
    struct writer w = {out, size, 0};
    for (; *format; format++) {
        if (*format != '%') {
            put(&w, *format);
            continue;
        }
        bool wide = false;
        if (*++format == 'l') {
            wide = true;
            format++;
        }
        switch (*format) {
        case 's':
            put_text(&w, va_arg(list, const char *));
            break;
        case 'd':
            put_signed(&w, wide ? va_arg(list, long) : va_arg(list, int));
            break;
        case 'u':
            put_number(&w, wide ? va_arg(list, unsigned long) : va_arg(list, unsigned), 10);
            break;
        case 'x':
            put_number(&w, wide ? va_arg(list, unsigned long) : va_arg(list, unsigned), 16);
            break;
        case 'p':
            put_text(&w, "0x");
            put_number(&w, (unsigned long)va_arg(list, void *), 16);
            break;
        default:
            put(&w, *format);
        }
    }
    if (size)
        out[w.length] = 0;
    return w.length;
}

size_t k42_format_text(char *out, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    size_t length = k42_format_list(out, size, format, list);
    va_end(list);
    return length;
}

void k42_log(const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    k42_platform_log(line);
}

void k42_panic(const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    k42_platform_panic(line);
}
