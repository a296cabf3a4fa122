/*
 * Comments of a header, found in its text.
 *
 * libclang attaches no comment to what a macro declares, so they are found by place: a comment
 * belongs to the declaration that begins on the line after it, or to the one that ends on its line.
 * A blank line between them parts them. Fails only by finding none.
 */
#include "interface.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Where the line that contains `at` begins. */
static size_t line_start(const char *source, size_t at) {
    while (at > 0 && source[at - 1] != '\n')
        at--;
    return at;
}

static bool only_blanks(const char *source, size_t from, size_t to) {
    while (from < to && is_blank(source[from]))
        from++;
    return from == to;
}

/*
 * Takes one line of a comment without its decoration. Returns its text's start, and its indentation
 * as written; `end` moves over blanks at the line's end.
 */
static const char *undecorated(const char *line, const char **end) {
    while (*end > line && is_blank((*end)[-1]))
        (*end)--;
    const char *text = line;
    while (text < *end && is_blank(*text))
        text++;
    if (text < *end && *text == '*') {
        text++;
        if (text < *end && *text == ' ')
            text++;
        return text;
    }
    if (*end - text >= 2 && text[0] == '/' && text[1] == '/') {
        text += 2;
        if (text < *end && *text == ' ')
            text++;
    }
    return text;
}

/* The text between two places of a source, which are inside a comment's marks. */
static const char *clean(struct header *header, const char *source, size_t from, size_t to) {
    char *text = header_alloc(header, to - from + 1);
    char *out = text;
    const char *line = source + from, *stop = source + to;
    while (line < stop) {
        const char *next = memchr(line, '\n', (size_t)(stop - line));
        const char *end = next ? next : stop;
        const char *start = undecorated(line, &end);
        memcpy(out, start, (size_t)(end - start));
        out += end - start;
        *out++ = '\n';
        line = next ? next + 1 : stop;
    }
    while (out > text && (out[-1] == '\n' || is_blank(out[-1])))
        out--;
    *out = '\0';
    while (*text == '\n' || is_blank(*text))
        text++;
    return *text ? text : NULL;
}

/* A block comment that ends at `end`, just after its closing mark. */
static const char *block_ending(struct header *header, const char *source, size_t end) {
    for (size_t start = end - 2; start-- > 0;) {
        if (source[start] != '/' || source[start + 1] != '*' || start + 2 > end - 2)
            continue;
        if (!only_blanks(source, line_start(source, start), start))
            return NULL; /* behind code: that line's comment, not the next one's */
        return clean(header, source, start + 2, end - 2);
    }
    return NULL;
}

/* Lines of // that end at `end`. */
static const char *lines_ending(struct header *header, const char *source, size_t end) {
    size_t first = end;
    for (size_t line = line_start(source, end);; line = line_start(source, line - 1)) {
        size_t text = line;
        while (is_blank(source[text]))
            text++;
        if (strncmp(source + text, "//", 2) != 0)
            break;
        first = line;
        if (line == 0)
            break;
    }
    return first < end ? clean(header, source, first, end) : NULL;
}

const char *comment_before(struct header *header, const char *source, size_t start) {
    unsigned breaks = 0;
    size_t end = start;
    while (end > 0 && (is_blank(source[end - 1]) || source[end - 1] == '\n'))
        breaks += source[--end] == '\n';
    if (breaks > 1)
        return NULL;
    if (end >= 4 && source[end - 1] == '/' && source[end - 2] == '*')
        return block_ending(header, source, end);
    return breaks ? lines_ending(header, source, end) : NULL;
}

const char *comment_after(struct header *header, const char *source, size_t end) {
    size_t at = end;
    while (is_blank(source[at]) || source[at] == ';')
        at++;
    if (strncmp(source + at, "//", 2) == 0)
        return clean(header, source, at, at + strcspn(source + at, "\n"));
    const char *close = strncmp(source + at, "/*", 2) == 0 ? strstr(source + at + 2, "*/") : NULL;
    return close ? clean(header, source, at + 2, (size_t)(close - source)) : NULL;
}

const char *comment_head(struct header *header, const char *source) {
    return comment_after(header, source, strspn(source, " \t\r\n"));
}
