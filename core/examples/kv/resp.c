/*
 * The Redis protocol's requests. See resp.h; replies are in reply.c.
 *
 * The parser is a position in the request and the little it needs to go on from there. Everything
 * before the position has been checked and is never read again, so the work is linear in the bytes
 * however they are cut into pieces. Memory for arguments grows with the arguments that have really
 * arrived, not with the number announced.
 */
#include "resp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_PENDING = -1,
    HEADER_LIMIT = 32, /* "*" or "$", a number, end of line */
    FIRST_ARGUMENTS = 8,
};

void kv_parser_init(struct kv_parser *parser) {
    memset(parser, 0, sizeof(*parser));
    parser->bulk = -1;
}

void kv_parser_free(struct kv_parser *parser) {
    free(parser->arguments);
    kv_parser_init(parser);
}

void kv_parser_next(struct kv_parser *parser) {
    parser->count = parser->expected = parser->position = parser->searched = parser->bytes = 0;
    parser->bulk = -1;
}

static long refuse(struct kv_parser *parser, const char *error) {
    parser->error = error;
    return -EPROTO;
}

static int add_argument(struct kv_parser *parser, size_t offset, size_t length) {
    if (parser->count == parser->capacity) {
        size_t capacity = parser->capacity ? parser->capacity * 2 : FIRST_ARGUMENTS;
        struct kv_argument *larger = realloc(parser->arguments, capacity * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        parser->arguments = larger;
        parser->capacity = capacity;
    }
    parser->arguments[parser->count++] = (struct kv_argument){offset, length};
    return 0;
}

int kv_parse_number(struct kv_slice text, int64_t *number) {
    size_t at = 0;
    int negative = text.length > 0 && text.bytes[0] == '-';
    uint64_t value = 0, most = negative ? (uint64_t)1 << 63 : INT64_MAX;
    at += (size_t)negative;
    if (at == text.length || (text.bytes[at] == '0' && text.length > 1))
        return -EINVAL;
    for (; at < text.length; at++) {
        unsigned digit = (unsigned char)text.bytes[at] - '0';
        if (digit > 9 || value > (most - digit) / 10)
            return -EINVAL;
        value = value * 10 + digit;
    }
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

/* Where the line that begins at the position ends (its '\n'), or LINE_PENDING. */
static long find_line_end(struct kv_parser *parser, const char *bytes, size_t length) {
    size_t from = parser->searched > parser->position ? parser->searched : parser->position;
    const char *end = from < length ? memchr(bytes + from, '\n', length - from) : NULL;
    parser->searched = length;
    return end ? (long)(end - bytes) : LINE_PENDING;
}

/* Reads "<kind><number>\r\n" at the position and moves behind it. 1: read; 0: pending. */
static long read_header(struct kv_parser *parser, const char *bytes, size_t length, int64_t *number,
                        const char *error) {
    long end = find_line_end(parser, bytes, length);
    if (end == LINE_PENDING)
        return length - parser->position > HEADER_LIMIT ? refuse(parser, error) : 0;
    size_t line = (size_t)end - parser->position;
    if (line < 2 || bytes[end - 1] != '\r')
        return refuse(parser, error);
    struct kv_slice text = {bytes + parser->position + 1, line - 2};
    if (kv_parse_number(text, number) < 0)
        return refuse(parser, error);
    parser->position = parser->searched = (size_t)end + 1;
    return 1;
}

/* The bulk string at the position: its header, then its bytes. 1: complete; 0: pending. */
static long parse_bulk(struct kv_parser *parser, const char *bytes, size_t length) {
    if (parser->bulk < 0) {
        if (parser->position == length)
            return 0;
        if (bytes[parser->position] != '$')
            return refuse(parser, "ERR Protocol error: expected '$'");
        long got = read_header(parser, bytes, length, &parser->bulk,
                               "ERR Protocol error: invalid bulk length");
        if (got <= 0)
            return got;
        if (parser->bulk < 0 || parser->bulk > KV_BULK_LIMIT)
            return refuse(parser, "ERR Protocol error: invalid bulk length");
        parser->bytes += (size_t)parser->bulk;
        if (parser->bytes > KV_REQUEST_LIMIT)
            return refuse(parser, "ERR Protocol error: request too big");
    }
    size_t bulk = (size_t)parser->bulk;
    if (length - parser->position < bulk + 2)
        return 0;
    if (memcmp(bytes + parser->position + bulk, "\r\n", 2) != 0)
        return refuse(parser, "ERR Protocol error: bulk string without end of line");
    if (add_argument(parser, parser->position, bulk) < 0)
        return -ENOMEM;
    parser->position += bulk + 2;
    parser->searched = parser->position;
    parser->bulk = -1;
    return 1;
}

static long parse_array(struct kv_parser *parser, const char *bytes, size_t length) {
    if (!parser->expected) {
        int64_t announced;
        long got = read_header(parser, bytes, length, &announced,
                               "ERR Protocol error: invalid multibulk length");
        if (got <= 0)
            return got;
        if (announced > KV_ARGUMENTS_LIMIT)
            return refuse(parser, "ERR Protocol error: invalid multibulk length");
        if (announced <= 0) /* as Redis: nothing was asked, nothing is answered */
            return (long)parser->position;
        parser->expected = (size_t)announced;
    }
    while (parser->count < parser->expected) {
        long got = parse_bulk(parser, bytes, length);
        if (got <= 0)
            return got;
    }
    return (long)parser->position;
}

/* ---- inline requests: one line of words, possibly quoted ---- */

static int is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Reads the escape behind a backslash at line[at]; returns how many bytes it took. */
static size_t read_escape(const char *line, size_t at, size_t end, char *byte) {
    char escaped = line[at];
    if (escaped == 'x' && end - at > 2 && hex_digit(line[at + 1]) >= 0 &&
        hex_digit(line[at + 2]) >= 0) {
        *byte = (char)(hex_digit(line[at + 1]) * 16 + hex_digit(line[at + 2]));
        return 3;
    }
    static const char letters[] = "nrtba", meanings[] = "\n\r\t\b\a";
    const char *found = escaped ? strchr(letters, escaped) : NULL;
    *byte = found ? meanings[found - letters] : escaped;
    return 1;
}

/*
 * Reads the word at `at`, unquoting it in place: what is written is never longer than what was
 * read. Returns where it ended, or 0 when a quote is not closed or not followed by a blank.
 */
static size_t read_word(char *line, size_t at, size_t end, size_t *word_end) {
    size_t to = at;
    char quote = 0;
    while (at < end) {
        char byte = line[at++];
        if (!quote && is_blank(byte)) {
            at--;
            break;
        }
        if (!quote && (byte == '"' || byte == '\'')) {
            quote = byte;
        } else if (quote && byte == quote) {
            if (at < end && !is_blank(line[at]))
                return 0;
            quote = 0;
        } else if (quote == '"' && byte == '\\' && at < end) {
            at += read_escape(line, at, end, &line[to++]);
        } else if (quote == '\'' && byte == '\\' && at < end && line[at] == '\'') {
            line[to++] = line[at++];
        } else {
            line[to++] = byte;
        }
    }
    *word_end = to;
    return quote ? 0 : at;
}

static long parse_inline(struct kv_parser *parser, char *bytes, size_t length) {
    long end = find_line_end(parser, bytes, length);
    if ((end == LINE_PENDING ? length : (size_t)end) > KV_INLINE_LIMIT)
        return refuse(parser, "ERR Protocol error: too big inline request");
    if (end == LINE_PENDING)
        return 0;
    size_t at = 0, word_end;
    for (;;) {
        while (at < (size_t)end && is_blank(bytes[at]))
            at++;
        if (at == (size_t)end)
            return end + 1;
        size_t start = at;
        at = read_word(bytes, at, (size_t)end, &word_end);
        if (!at)
            return refuse(parser, "ERR Protocol error: unbalanced quotes in request");
        if (add_argument(parser, start, word_end - start) < 0)
            return -ENOMEM;
    }
}

long kv_parse(struct kv_parser *parser, char *bytes, size_t length) {
    if (length == 0)
        return 0;
    return bytes[0] == '*' ? parse_array(parser, bytes, length)
                           : parse_inline(parser, bytes, length);
}
