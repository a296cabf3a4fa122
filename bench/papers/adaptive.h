/*
 * A page cache that is shared or partitioned as the kernel's advisors would have it.
 *
 * The decision is theirs (kernel/advisor/decide.c), with the rules of the one for contention. In
 * the kernel a thread looks ten times a second, and in doubt at what a hook has counted; here each
 * run of the searchers is a look, and those in doubt count as the hook does. One for each load:
 * what was decided at another number of threads does not help.
 */
#ifndef BENCH_ADAPTIVE_H
#define BENCH_ADAPTIVE_H

#include "../../kernel/advisor/decide.h"

struct adaptive {
    struct advice advice;
    const char *class_name; /* of the cache under this load; NULL: not begun, which is shared */
    unsigned looks;
};

/* What a run has shown: how many used the cache, what all its reads took, and of one that was
 * watched those that began while another was in one. */
struct adaptive_run {
    unsigned users;
    uint64_t reads, meetings, ns;
};

const char *adaptive_class(const struct adaptive *adaptive);
/* Whether the next run is to be watched. */
bool adaptive_is_watched(const struct adaptive *adaptive);
void adaptive_look(struct adaptive *adaptive, const struct adaptive_run *run);

#endif
