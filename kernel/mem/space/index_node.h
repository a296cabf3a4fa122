/*
 * The nodes of the tree of index.h, for index.c and index_change.c.
 */
#ifndef KERNEL_SPACE_INDEX_NODE_H
#define KERNEL_SPACE_INDEX_NODE_H

#include "index.h"

#include "../machine.h"

#define FAN 16u

struct index_child {
    uintptr_t start, end; /* of the first entry, less what it keeps free; of the last */
    size_t gap;           /* the largest between two entries */
    struct index_node *node;
};

struct index_node {
    struct k42_defer defer;
    uint32_t level; /* 0: entries */
    uint32_t count;
    union {
        struct space_entry entries[FAN];
        struct index_child children[FAN];
    };
};

static inline uintptr_t entry_start(const struct space_entry *entry) {
    return entry->start - ((uintptr_t)entry->below << MACHINE_PAGE_SHIFT);
}

/* What a node's parent keeps of it. */
struct index_child index_child_of(struct index_node *node);

#endif
