/*
 * Names of events: patterns and near matches. See text.h.
 *
 * No state.
 */
#include "text.h"

#include "../runtime.h"

/* On a mismatch the last star takes one character more; earlier stars need not be tried again. */
int k42_trace_text_matches(const char *pattern, const char *name) {
    const char *star = NULL, *star_name = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            star_name = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++star_name;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Levenshtein's distance, a row at a time. */
static unsigned edit_distance(const char *one, const char *other) {
    uint8_t row[K42_TRACE_PATTERN_SIZE];
    size_t width = k42_text_length(other);
    if (width >= K42_TRACE_PATTERN_SIZE)
        width = K42_TRACE_PATTERN_SIZE - 1;
    for (size_t i = 0; i <= width; i++)
        row[i] = (uint8_t)i;
    for (size_t j = 0; one[j] && j < K42_TRACE_PATTERN_SIZE - 1; j++) {
        unsigned diagonal = row[0];
        row[0] = (uint8_t)(j + 1);
        for (size_t i = 1; i <= width; i++) {
            unsigned above = row[i];
            row[i] =
                (uint8_t)least(above + 1, row[i - 1] + 1u, diagonal + (one[j] != other[i - 1]));
            diagonal = above;
        }
    }
    return row[width];
}

unsigned k42_trace_text_distance(const char *pattern, const char *name) {
    unsigned whole = edit_distance(pattern, name);
    const char *bare = name;
    while (*bare && *bare != ':')
        bare++;
    if (!*bare)
        return whole;
    unsigned without_provider = edit_distance(pattern, bare + 1);
    return without_provider < whole ? without_provider : whole;
}
