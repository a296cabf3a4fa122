/*
 * The page cache of a file in memory: pages that are nowhere else, and so are never evicted.
 */
#ifndef KERNEL_RAMFS_PAGES_H
#define KERNEL_RAMFS_PAGES_H

#include "ramfs.h"

/* As the seals of a file that never has any. */
#define PAGES_UNSEALED (1u << 31)

/* Makes one that begins with what the source says, which must outlive it, and with these seals, of
 * enum fcm_seals; its pages count in a file system, and in *room, which lasts as long as it.
 * Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result pages_make(struct ramfs *fs, const struct ramfs_source *source, unsigned seals,
                      k42_ref *fcm, uint64_t **room);

/* Nobody can reach them any more: from now on they count in nothing. Any context, under any lock.
 */
void pages_abandon(struct ramfs *fs, uint64_t *room);

#endif
