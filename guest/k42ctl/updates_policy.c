/*
 * The policy of updates (updates.h). Owns: its lines.
 */
#include "updates.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 64, PATTERN = 64 };

struct line {
    char pattern[PATTERN];
    enum update_mode mode;
};

static struct policy {
    struct line lines[LINES];
    unsigned count;
} policy;

static const char *const names[] = {"eager", "lazy", "new", "never"};
enum { MODES = sizeof names / sizeof *names };

const char *update_mode_name(enum update_mode mode) {
    return names[mode];
}

static bool is_file(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && !strcmp(dot, UPDATE_SUFFIX);
}

enum update_mode policy_mode(const char *name) {
    for (unsigned i = 0; i < policy.count; i++)
        if (is_file(policy.lines[i].pattern) == is_file(name) &&
            !fnmatch(policy.lines[i].pattern, name, 0))
            return policy.lines[i].mode;
    return UPDATE_EAGER;
}

void policy_forget(void) {
    policy.count = 0;
}

/* False: it is no line of a policy. */
static bool read_line(struct policy *into, const char *text) {
    char mode[8], more;
    struct line *line = &into->lines[into->count];
    text += strspn(text, " \t");
    if (!*text || *text == '#')
        return true;
    if (into->count == LINES || sscanf(text, "%63s %7s %c", line->pattern, mode, &more) != 2)
        return false;
    for (unsigned i = 0; i < MODES; i++)
        if (!strcmp(mode, names[i])) {
            line->mode = (enum update_mode)i;
            into->count++;
            return true;
        }
    return false;
}

bool policy_read(const char *path, char *why, size_t size) {
    struct policy read = {.count = 0};
    char text[256];
    unsigned number = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        int error = errno;
        snprintf(why, size, "it cannot be opened: %s", strerror(error));
        errno = error;
        return false;
    }
    bool right = true;
    while (right && fgets(text, sizeof text, file)) {
        size_t length = strlen(text);
        number++;
        right = length + 1 < sizeof text || text[length - 1] == '\n';
        if (length && text[length - 1] == '\n')
            text[length - 1] = 0;
        right = right && read_line(&read, text);
    }
    fclose(file);
    errno = EINVAL;
    if (right)
        policy = read;
    else
        snprintf(why, size, "line %u is not a pattern and eager, lazy, new or never", number);
    return right;
}
