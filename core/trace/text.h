/*
 * Names of events: patterns and near matches.
 *
 * No state; nothing here fails. Texts are NUL-terminated.
 */
#ifndef K42_CORE_TRACE_TEXT_H
#define K42_CORE_TRACE_TEXT_H

#define K42_TRACE_PATTERN_SIZE 64

/* Whether `name` as a whole fits the pattern: `*` any characters, `?` one. */
int k42_trace_text_matches(const char *pattern, const char *name);

/*
 * How many characters must be changed, added or left out to make one of the other; the name may
 * also be taken without its provider ("swap_begin" for "k42:swap_begin"). Looks at 63 characters.
 */
unsigned k42_trace_text_distance(const char *pattern, const char *name);

#endif
