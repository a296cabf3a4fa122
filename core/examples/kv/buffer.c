/*
 * Growing byte buffers. See buffer.h.
 */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 4096,
    IDLE_CAPACITY = 65536, /* an empty buffer keeps at most this much */
};

/* Slides what is held to the start, when that alone makes room. */
static void slide_to_start(struct kv_buffer *buffer) {
    size_t held = kv_buffer_length(buffer);
    if (held)
        memmove(buffer->bytes, buffer->bytes + buffer->start, held);
    buffer->start = 0;
    buffer->end = held;
}

int kv_buffer_reserve(struct kv_buffer *buffer, size_t bytes) {
    size_t held = kv_buffer_length(buffer);
    if (buffer->capacity - buffer->end >= bytes)
        return 0;
    if (bytes > buffer->limit || held > buffer->limit - bytes)
        return -ENOBUFS;
    /* Sliding pays when it moves less than it frees, so that each byte is moved a bounded number of
     * times. */
    if (buffer->capacity - held >= bytes && buffer->start >= held) {
        slide_to_start(buffer);
        return 0;
    }
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (capacity - held < bytes)
        capacity *= 2;
    char *larger = malloc(capacity);
    if (!larger)
        return -ENOMEM;
    if (held)
        memcpy(larger, kv_buffer_front(buffer), held);
    free(buffer->bytes);
    buffer->bytes = larger;
    buffer->capacity = capacity;
    buffer->start = 0;
    buffer->end = held;
    return 0;
}

void kv_buffer_append(struct kv_buffer *buffer, const void *bytes, size_t length) {
    if (buffer->failed || !length)
        return;
    if (kv_buffer_reserve(buffer, length) < 0) {
        buffer->failed = 1;
        return;
    }
    memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
}

void kv_buffer_consume(struct kv_buffer *buffer, size_t bytes) {
    buffer->start += bytes;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void kv_buffer_relax(struct kv_buffer *buffer) {
    if (kv_buffer_length(buffer) == 0 && buffer->capacity > IDLE_CAPACITY)
        kv_buffer_free(buffer);
}

void kv_buffer_free(struct kv_buffer *buffer) {
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->start = buffer->end = buffer->capacity = 0;
}
