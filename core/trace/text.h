/*
 * Words for people and patterns, without a C library: what the registry needs of them.
 *
 * No state; nothing here fails. Texts are NUL-terminated.
 */
#ifndef K42_CORE_TRACE_TEXT_H
#define K42_CORE_TRACE_TEXT_H

#include <stddef.h>

#define K42_TRACE_PATTERN_SIZE 64

/* A buffer that is appended to; a text too long for it is cut. `at` may be NULL: nothing is kept.
 */
struct k42_trace_text {
    char *at;
    size_t room;
};
void k42_trace_text_add(struct k42_trace_text *text, const char *words);

size_t k42_trace_text_length(const char *text);
int k42_trace_text_equal(const char *one, const char *other);

/* Whether `name` as a whole fits the pattern: `*` any characters, `?` one. */
int k42_trace_text_matches(const char *pattern, const char *name);

/*
 * How many characters must be changed, added or left out to make one of the other; the name may
 * also be taken without its provider ("swap_begin" for "k42:swap_begin"). Looks at 63 characters.
 */
unsigned k42_trace_text_distance(const char *pattern, const char *name);

#endif
