/*
 * The Redis protocol, version 2: understanding requests and writing replies.
 *
 * A request is an array of bulk strings ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") or, for people with a
 * terminal, one line of words ("GET k\r\n"). The parser is given whatever has arrived and goes on
 * where it stopped, so that a request in many pieces costs no more than one in one piece. It owns
 * only the list of where the arguments lie; the bytes stay where they arrived.
 *
 * One parser belongs to one connection; no locking. After an error the connection is beyond saving:
 * nobody can tell where the next request begins.
 */
#ifndef KV_RESP_H
#define KV_RESP_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* Limits on what a client may ask for; beyond them the connection ends with an error. */
enum {
    KV_ARGUMENTS_LIMIT = 1024 * 1024,
    KV_BULK_LIMIT = 64 * 1024 * 1024,
    KV_INLINE_LIMIT = 64 * 1024,
    KV_REQUEST_LIMIT = 128 * 1024 * 1024, /* all bytes of one request */
};

/* A string that lies in somebody else's memory. */
struct kv_slice {
    const char *bytes;
    size_t length;
};

struct kv_argument {
    size_t offset; /* from the start of the request */
    size_t length;
};

struct kv_parser {
    struct kv_argument *arguments; /* those complete so far */
    size_t count, capacity;
    size_t expected; /* arguments announced by "*n"; 0: between requests */
    size_t position; /* how far into the request everything is understood */
    size_t searched; /* how far the end of the line under way has been looked for in vain */
    int64_t bulk;    /* length of the bulk string under way, -1: its header comes next */
    size_t bytes;    /* argument bytes announced so far */
    const char *error;
};

void kv_parser_init(struct kv_parser *parser);
void kv_parser_free(struct kv_parser *parser);

/*
 * Looks at the `length` bytes that have arrived of one request, at `bytes` (which may lie elsewhere
 * than at the last call). Returns the length of the request when it is complete (its arguments are
 * then in the parser; an empty line is a request of none); 0 when more must arrive; -EPROTO when it
 * is no request, parser->error being the text to send; -ENOMEM.
 */
long kv_parse(struct kv_parser *parser, char *bytes, size_t length);

/* Forgets the request just taken, to begin the next. */
void kv_parser_next(struct kv_parser *parser);

/* Reads a whole decimal number that fits 64 bits, as Redis does. 0, or -EINVAL. */
int kv_parse_number(struct kv_slice text, int64_t *number);

/* ---- replies: appended to a connection's output ---- */

void kv_reply_status(struct kv_buffer *out, const char *text);
/* `text` begins with the error's kind: "ERR no such key". Line breaks in it become spaces. */
void kv_reply_error(struct kv_buffer *out, const char *text);
void kv_reply_errorf(struct kv_buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void kv_reply_number(struct kv_buffer *out, int64_t number);
void kv_reply_bulk(struct kv_buffer *out, const char *bytes, size_t length);
void kv_reply_text(struct kv_buffer *out, const char *text);
void kv_reply_null(struct kv_buffer *out);
void kv_reply_array(struct kv_buffer *out, size_t length);

#endif
