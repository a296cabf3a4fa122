/*
 * The page cache of a file in memory: pages that are nowhere else, and so are never evicted.
 */
#ifndef KERNEL_RAMFS_PAGES_H
#define KERNEL_RAMFS_PAGES_H

#include "ramfs.h"

/* Makes one that begins with what the source says, which must outlive it; its pages count in a file
 * system. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result pages_make(struct ramfs *fs, const struct ramfs_source *source, k42_ref *fcm);

#endif
