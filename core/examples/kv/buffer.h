/*
 * Growing byte buffers: what a connection has read and not yet understood, or not yet written.
 *
 * A buffer belongs to its connection and is touched by that connection's worker only; no locking.
 * Bytes are consumed at the front and appended at the back. Growth stops at the buffer's limit.
 */
#ifndef KV_BUFFER_H
#define KV_BUFFER_H

#include <stddef.h>

struct kv_buffer {
    char *bytes;
    size_t start, end; /* bytes[start .. end) is what is held */
    size_t capacity;
    size_t limit; /* never holds more than this many bytes */
    int failed;   /* an append found no room: what came after it is lost too */
};

static inline size_t kv_buffer_length(const struct kv_buffer *buffer) {
    return buffer->end - buffer->start;
}

static inline char *kv_buffer_front(const struct kv_buffer *buffer) {
    return buffer->bytes + buffer->start;
}

/* Makes room for `bytes` more at the back. 0, -ENOMEM, or -ENOBUFS beyond the limit. */
int kv_buffer_reserve(struct kv_buffer *buffer, size_t bytes);

/* Appends, or marks the buffer failed: a reply cut in half must never be sent on from the middle.
 */
void kv_buffer_append(struct kv_buffer *buffer, const void *bytes, size_t length);

/* Forgets `bytes` at the front. */
void kv_buffer_consume(struct kv_buffer *buffer, size_t bytes);

/* Gives back memory that an empty buffer no longer needs. */
void kv_buffer_relax(struct kv_buffer *buffer);

void kv_buffer_free(struct kv_buffer *buffer);

#endif
