/*
 * Fuzzes the parser of the Redis protocol: whatever arrives, and in whatever pieces.
 *
 * The same bytes are parsed twice, all at once and cut into pieces that their first byte chooses.
 * Both must give the same requests, end at the same place with the same error, and never name an
 * argument outside the request. Bytes lie in memory of exactly their length, so that a sanitizer
 * sees any step beyond it.
 */
#include "fuzz.h"
#include "resp.h"

#include <errno.h>
#include <string.h>

/* Everything that parsing has told, folded into one number. */
struct told {
    uint64_t sum;
    size_t requests;
    const char *error;
};

static void tell(struct told *told, uint64_t value) {
    told->sum = (told->sum ^ value) * 0x9e3779b97f4a7c15;
    told->sum ^= told->sum >> 29;
}

static void tell_request(struct told *told, const struct kv_parser *parser, const char *bytes,
                         size_t length) {
    told->requests++;
    tell(told, parser->count);
    for (size_t n = 0; n < parser->count; n++) {
        struct kv_argument argument = parser->arguments[n];
        expect(argument.offset <= length && argument.length <= length - argument.offset,
               "an argument lies outside its request");
        tell(told, argument.length);
        for (size_t at = 0; at < argument.length; at++)
            tell(told, (unsigned char)bytes[argument.offset + at]);
        struct kv_slice slice = {bytes + argument.offset, argument.length};
        int64_t number;
        if (kv_parse_number(slice, &number) == 0)
            tell(told, (uint64_t)number);
    }
}

/* What a connection does: takes requests from the front until more must arrive. */
static long take_requests(struct kv_parser *parser, struct kv_buffer *in, struct told *told) {
    for (;;) {
        long length = kv_parse(parser, kv_buffer_front(in), kv_buffer_length(in));
        if (length <= 0)
            return length;
        expect((size_t)length <= kv_buffer_length(in), "a request is longer than what arrived");
        tell_request(told, parser, kv_buffer_front(in), (size_t)length);
        kv_parser_next(parser);
        kv_buffer_consume(in, (size_t)length);
    }
}

/* Moves the buffer's bytes to memory of exactly their length. */
static void fit_exactly(struct kv_buffer *in) {
    size_t length = kv_buffer_length(in);
    char *bytes = malloc(length ? length : 1);
    expect(bytes != NULL, "out of memory");
    if (length)
        memcpy(bytes, kv_buffer_front(in), length);
    kv_buffer_free(in);
    *in = (struct kv_buffer){.bytes = bytes, .end = length, .capacity = length, .limit = in->limit};
}

static struct told parse_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    struct kv_parser parser;
    struct kv_buffer in = {.limit = SIZE_MAX / 2};
    struct told told = {0};
    kv_parser_init(&parser);
    for (size_t at = 0; at < size; at += piece) {
        kv_buffer_append(&in, data + at, size - at < piece ? size - at : piece);
        fit_exactly(&in);
        long result = take_requests(&parser, &in, &told);
        if (result < 0) {
            expect(result == -EPROTO && parser.error, "an error has no text");
            told.error = parser.error;
            break;
        }
    }
    kv_buffer_free(&in);
    kv_parser_free(&parser);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    size_t piece = data[0] % 61 + 1u;
    struct told whole = parse_in_pieces(data + 1, size - 1, size);
    struct told pieces = parse_in_pieces(data + 1, size - 1, piece);
    expect(whole.requests == pieces.requests, "pieces make another number of requests");
    expect(whole.sum == pieces.sum, "pieces make other arguments");
    expect((whole.error == NULL) == (pieces.error == NULL), "pieces make another end");
    return 0;
}
