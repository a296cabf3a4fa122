/*
 * The Redis protocol's replies. See resp.h.
 *
 * Replies go to the end of a connection's output. When that has no room the buffer is marked failed
 * and the connection ends: no client ever sees the rest of a reply without its beginning.
 */
#include "resp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "<kind><number>\r\n", written backwards from the end; snprintf is the slowest part of a SET
 * otherwise. */
static void reply_header(struct kv_buffer *out, char kind, int64_t number) {
    char text[24];
    size_t at = sizeof(text);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    text[--at] = '\n';
    text[--at] = '\r';
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        text[--at] = '-';
    text[--at] = kind;
    kv_buffer_append(out, text + at, sizeof(text) - at);
}

void kv_reply_status(struct kv_buffer *out, const char *text) {
    kv_buffer_append(out, "+", 1);
    kv_buffer_append(out, text, strlen(text));
    kv_buffer_append(out, "\r\n", 2);
}

void kv_reply_error(struct kv_buffer *out, const char *text) {
    kv_reply_errorf(out, "%s", text);
}

void kv_reply_errorf(struct kv_buffer *out, const char *format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    for (char *byte = text; *byte; byte++)
        if (*byte == '\r' || *byte == '\n')
            *byte = ' ';
    kv_buffer_append(out, "-", 1);
    kv_buffer_append(out, text, strlen(text));
    kv_buffer_append(out, "\r\n", 2);
}

void kv_reply_number(struct kv_buffer *out, int64_t number) {
    reply_header(out, ':', number);
}

void kv_reply_bulk(struct kv_buffer *out, const char *bytes, size_t length) {
    reply_header(out, '$', (int64_t)length);
    kv_buffer_append(out, bytes, length);
    kv_buffer_append(out, "\r\n", 2);
}

void kv_reply_text(struct kv_buffer *out, const char *text) {
    kv_reply_bulk(out, text, strlen(text));
}

void kv_reply_null(struct kv_buffer *out) {
    kv_buffer_append(out, "$-1\r\n", 5);
}

void kv_reply_array(struct kv_buffer *out, size_t length) {
    reply_header(out, '*', (int64_t)length);
}
