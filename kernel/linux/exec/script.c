/*
 * The first line of a script: see script.h.
 */
#include "script.h"

#include <errno.h>
#include <stdbool.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Where the line ends; `size` when it does not. */
static size_t line_end(const char *bytes, size_t size) {
    size_t end = 0;
    while (end < size && bytes[end] && bytes[end] != '\n')
        end++;
    return end;
}

static void copy(char *to, const char *from, size_t begin, size_t end) {
    size_t length = 0;
    while (begin < end)
        to[length++] = from[begin++];
    to[length] = 0;
}

int script_read(struct script *script, const char *bytes, size_t size) {
    if (size > SCRIPT_LINE)
        size = SCRIPT_LINE;
    if (size < 2 || bytes[0] != '#' || bytes[1] != '!')
        return -ENOEXEC;
    size_t end = line_end(bytes, size), at = 2;
    bool cut = end == SCRIPT_LINE;
    while (end > 2 && is_blank(bytes[end - 1]) && !cut)
        end--;
    while (at < end && is_blank(bytes[at]))
        at++;
    size_t name = at;
    while (at < end && !is_blank(bytes[at]))
        at++;
    if (at == name || (cut && at == end))
        return -ENOEXEC;
    copy(script->interpreter, bytes, name, at);
    while (at < end && is_blank(bytes[at]))
        at++;
    copy(script->argument, bytes, at, end < SCRIPT_LINE ? end : SCRIPT_LINE - 1);
    return 0;
}
