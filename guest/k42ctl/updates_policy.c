/*
 * The policy of updates (updates.h). Owns: its lines.
 */
#include "updates.h"

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

bool policy_read(FILE *file, unsigned *wrong) {
    struct policy read = {.count = 0};
    char text[256];
    unsigned number = 0;
    while (fgets(text, sizeof text, file)) {
        size_t length = strlen(text);
        bool whole = length && text[length - 1] == '\n';
        number++;
        if (whole)
            text[length - 1] = 0;
        if ((!whole && !feof(file)) || !read_line(&read, text)) {
            *wrong = number;
            return false;
        }
    }
    policy = read;
    return true;
}
