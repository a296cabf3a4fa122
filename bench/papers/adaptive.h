/*
 * A page cache that is shared or partitioned as the kernel's advisors would have it.
 *
 * The decision is theirs (kernel/advisor/decide.c), with the rules of the one for contention. In
 * the kernel a thread looks ten times a second at what a hook has counted; here each run of the
 * searchers is a look, at how often CPUs met in it and what a page cost. One for each load: what
 * was decided at another number of threads does not help.
 */
#ifndef BENCH_ADAPTIVE_H
#define BENCH_ADAPTIVE_H

#include "../../kernel/advisor/decide.h"

struct adaptive {
    struct advice advice;
    const char *class_name; /* of the cache under this load; NULL: not begun, which is shared */
    unsigned looks;
};

/* What a run has shown: CPUs that met per thousand pages, nanoseconds of all pages, their number.
 */
void adaptive_look(struct adaptive *adaptive, double met, double ns, uint64_t pages);
const char *adaptive_class(const struct adaptive *adaptive);

#endif
