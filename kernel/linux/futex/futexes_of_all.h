/*
 * The table in which futexes wait that no address space keeps in one of its own: words that several
 * address spaces may share, and those of spaces that have no table or one that stands for this.
 *
 * Its size is fixed. A space that gets a table of its own (futex_table.h) has its waiters looked
 * for in all of this one's buckets, so there are no more than that may cost; and no fewer than keep
 * lists short where some thousand threads sleep. It is beside the table of all that calls wait for
 * (sched/wait.h), which grows with memory.
 *
 * The buckets are nobody's and last for ever. Locking: theirs.
 */
#ifndef KERNEL_FUTEXES_OF_ALL_H
#define KERNEL_FUTEXES_OF_ALL_H

#include "../../sched/wait.h"

#define FUTEXES_OF_ALL_BITS 10u /* 64 KiB of buckets */

extern struct wait_bucket futexes_of_all_buckets[1u << FUTEXES_OF_ALL_BITS];

static const struct wait_table futexes_of_all = {futexes_of_all_buckets, 64 - FUTEXES_OF_ALL_BITS};

#endif
