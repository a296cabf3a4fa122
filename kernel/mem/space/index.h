/*
 * The regions of an address space by address: a B-tree whose nodes never change.
 *
 * A change makes new nodes from the root down to the place and publishes the new root; the old
 * nodes go after a grace period. So looking up takes no lock and sees all of a change or nothing,
 * and a change costs a few nodes however many regions there are. Nodes are not balanced when
 * entries go, only dropped when they are empty.
 *
 * Whoever changes is alone; whoever looks is active (k42_enter) and keeps what it found no longer.
 */
#ifndef KERNEL_SPACE_INDEX_H
#define KERNEL_SPACE_INDEX_H

#include <stdbool.h>

#include "../region/region.h"

/* One region. Regions do not overlap. */
struct space_entry {
    uintptr_t start, end;
    region_ref region;
    uint32_t below; /* pages that stay free below it: a stack's */
    uint32_t flags; /* the region's, of enum space_flags, but for what madvise changes;
                     * whether it is locked is looked up here */
};

struct index_node;

struct space_index {
    struct index_node *root;
    struct index_node *stock; /* nodes for the next changes */
    uint32_t stocked;
    uint64_t count;
};

/* Makes sure that `changes` changes cannot fail. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result index_stock(struct space_index *index, unsigned changes);

/* The first entry that ends above `address`; NULL: none. */
const struct space_entry *index_find(const struct space_index *index, uintptr_t address);
/* The last entry that starts below `address`; NULL: none. */
const struct space_entry *index_before(const struct space_index *index, uintptr_t address);

/*
 * Replaces the entry that starts at `key` (or none, with `remove` false) by `count` entries, up to
 * 3, in order and in its place. Was stocked for.
 */
void index_change(struct space_index *index, uintptr_t key, bool remove,
                  const struct space_entry *entries, unsigned count);
/* Replaces the neighbours that cover the same addresses by one. False, and nothing has changed:
 * they are not in one node. Was stocked for. */
bool index_join(struct space_index *index, const struct space_entry *joined);

/* Removes all entries that lie in [start, end). Was stocked for as one change. */
void index_cut(struct space_index *index, uintptr_t start, uintptr_t end);

/*
 * Makes an index of the same form out of what make() says of each entry: 0, 1 to leave it out, or
 * an error, which is returned with what was made so far in it.
 */
K42_MUST_CHECK
k42_result index_clone(const struct space_index *from, struct space_index *to,
                       k42_result (*make)(void *context, struct space_entry *entry), void *context);

/* The highest place for `length` bytes aligned to `align` in [low, high), or 0. */
uintptr_t index_place(const struct space_index *index, size_t length, size_t align, uintptr_t low,
                      uintptr_t high);

/* Frees all nodes of an index that nobody looks at. */
void index_free(struct space_index *index);

#endif
