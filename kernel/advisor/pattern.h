/*
 * In which pattern pages come to a PM: pure, so that a host can test it.
 *
 * A table of words remembers which pages came and when, counted in pages that came; a new one takes
 * the place of the old one that it meets there. Of many pages only a part is looked at, chosen by
 * hash, so that the table holds what came within several times the memory. A page found again came,
 * left, and was wanted again.
 *
 * No locks: several CPUs may say what comes. When they meet a page is lost or counted wrongly; it
 * is an estimate. Whoever reads the counts may do so meanwhile.
 */
#ifndef KERNEL_ADVISOR_PATTERN_H
#define KERNEL_ADVISOR_PATTERN_H

#include <stdint.h>

struct pattern_counts {
    uint64_t came;
    uint64_t looked_at; /* of these */
    uint64_t again;     /* of these, those that had come before, not long ago: eight times as many
                           others ago as there are frames, at most; */
    uint64_t soon;      /* or twice as many */
    uint64_t went_back; /* times that a page of the same cache came that lies far before the last */
};

enum { PATTERN_PLACES = 4096 };

struct pattern {
    uint64_t frames;
    uint64_t passed_by; /* bits of a hash, which are 0 in those that are looked at */
    uint64_t last;      /* the page that came last: cache and number */
    struct pattern_counts counts;
    uint64_t places[PATTERN_PLACES];
};

/* All zero before: with so many frames for the pages. */
void pattern_begin(struct pattern *pattern, uint64_t frames);
void pattern_came(struct pattern *pattern, uint32_t cache, uint64_t index);

enum pattern_kind {
    PATTERN_NONE,     /* pages do not come back */
    PATTERN_LOOP,     /* they come back in order, round by round */
    PATTERN_FREQUENT, /* some come back soon: they are used oftener than others */
};
enum pattern_kind pattern_of(const struct pattern_counts *counts);

/* Whether so many pages in which it went back so often came in order, or in loops over more than a
 * few. */
static inline int pattern_is_ordered(uint64_t came, uint64_t went_back) {
    return went_back * 64 <= came;
}

#endif
