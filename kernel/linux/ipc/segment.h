/*
 * A segment of shared memory: an open file, of the class file.segment, that no descriptor leads to.
 * Its pages are those of a file in memory without a name; what maps it holds it, as any mapping
 * holds its file, and so it knows how often it is attached, by whom last, and when.
 */
#ifndef KERNEL_LINUX_SEGMENT_H
#define KERNEL_LINUX_SEGMENT_H

#include "ipc.h"

#include "../../mem/space/space.h"

/* What FILE_LOOK tells of one. */
struct segment_told {
    uint64_t attached; /* mappings */
    uint64_t present;  /* pages in memory */
    int32_t key;       /* with which it was made */
    int32_t creator, last;
    int64_t attached_at, detached_at; /* seconds; 0: never */
};

/* For the table: makes one, ends one that nobody has seen. */
K42_MUST_CHECK
k42_result segment_make(struct ipc_entry *entry, const struct ipc_request *request);
void segment_unmake(struct ipc_entry *entry);

/* It ends when nothing maps it any more. */
void segment_doom(const struct ipc_entry *entry);

/* Fails when it has just ended: -K42_STALE. */
K42_MUST_CHECK
k42_result segment_tell(const struct ipc_entry *entry, struct segment_told *told);

/* Whether a mapping is of a segment. */
bool segment_is_mapped(const struct space_mapping *mapping);

/* An address space is about to end: whoever asks after that finds its segments detached. */
void segments_detach(space_ref space);

/* Limits, and how many pages all have together; atomic. */
struct segment_limits {
    uint64_t bytes; /* of one */
    uint64_t pages; /* of all */
};
extern struct segment_limits segment_limits;
extern uint64_t segment_pages;

#endif
