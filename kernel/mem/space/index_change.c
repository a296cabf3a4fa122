/*
 * Changes of the tree of index.h: new nodes from the root down to the place, out of a stock made
 * before, so that a change cannot fail; the old ones go after a grace period.
 *
 * Whoever changes is alone, and publishes by one store of the root with release order, which those
 * who look load with acquire order.
 */
#include "index_node.h"

#include <errno.h>
#include <k42/k42.h>

#include "../heap/heap.h"

/* ---- nodes ---- */

static uint32_t index_levels(const struct space_index *index) {
    return index->root ? index->root->level + 1 : 0;
}

/* A change makes at most two nodes at each level and a root above them. */
k42_result index_stock(struct space_index *index, unsigned changes) {
    uint32_t wanted = changes * (2 * index_levels(index) + 1 + changes);
    while (index->stocked < wanted) {
        struct index_node *node = heap_allocate(sizeof(*node));
        if (!node)
            return -ENOMEM;
        node->children[0].node = index->stock;
        index->stock = node;
        index->stocked++;
    }
    return 0;
}

static struct index_node *node_make(struct space_index *index, uint32_t level) {
    struct index_node *node = index->stock;
    index->stock = node->children[0].node;
    index->stocked--;
    node->level = level;
    node->count = 0;
    return node;
}

static void node_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct index_node, defer));
}

static void node_retire(struct index_node *node) {
    k42_defer(&node->defer, node_free);
}

/* ---- changing ---- */

struct change {
    struct space_index *index;
    uintptr_t key;
    unsigned remove; /* how many entries from `key` on; one node has them */
    const struct space_entry *entries;
    unsigned count;
    struct index_node *gone; /* linked by `defer.next`, which only its retirement needs */
};

/* Where entries are put together before they are cut into nodes. */
struct collected {
    unsigned count;
    union {
        struct space_entry entries[FAN + 3];
        struct index_child children[FAN + 3];
    };
};

/* Makes nodes of what was collected: none, one or two. */
static unsigned nodes_of(struct space_index *index, const struct collected *all, uint32_t level,
                         struct index_child *children) {
    unsigned parts = all->count == 0 ? 0 : all->count <= FAN ? 1 : 2, from = 0;
    for (unsigned part = 0; part < parts; part++) {
        struct index_node *node = node_make(index, level);
        unsigned to = part + 1 == parts ? all->count : all->count / 2;
        for (unsigned n = from; n < to; n++)
            if (level == 0)
                node->entries[node->count++] = all->entries[n];
            else
                node->children[node->count++] = all->children[n];
        children[part] = index_child_of(node);
        from = to;
    }
    return parts;
}

static unsigned leaf_change(struct change *change, const struct index_node *node,
                            struct index_child *children) {
    struct collected all;
    unsigned n = 0;
    all.count = 0;
    for (; n < node->count && node->entries[n].start < change->key; n++)
        all.entries[all.count++] = node->entries[n];
    for (unsigned added = 0; added < change->count; added++)
        all.entries[all.count++] = change->entries[added];
    for (n += change->remove; n < node->count; n++)
        all.entries[all.count++] = node->entries[n];
    return nodes_of(change->index, &all, 0, children);
}

static void change_retire(struct change *change, struct index_node *node) {
    node->defer.next = (struct k42_defer *)change->gone;
    change->gone = node;
}

/* The changed node in place of `node`: up to two. */
static unsigned node_change(struct change *change, struct index_node *node,
                            struct index_child *children) {
    struct collected all;
    struct index_child changed[2];
    unsigned at = 0;
    change_retire(change, node);
    if (node->level == 0)
        return leaf_change(change, node, children);
    while (at + 1 < node->count && node->children[at].end <= change->key)
        at++;
    unsigned parts = node_change(change, node->children[at].node, changed);
    all.count = 0;
    for (unsigned n = 0; n < node->count; n++) {
        if (n != at)
            all.children[all.count++] = node->children[n];
        for (unsigned part = 0; n == at && part < parts; part++)
            all.children[all.count++] = changed[part];
    }
    return nodes_of(change->index, &all, node->level, children);
}

/* A root above two nodes; instead of a root with one child, that child. */
static struct index_node *root_make(struct change *change, struct index_child *children,
                                    unsigned parts) {
    struct index_node *root = parts ? children[0].node : NULL;
    if (parts == 2) {
        root = node_make(change->index, children[0].node->level + 1);
        root->count = 2;
        root->children[0] = children[0];
        root->children[1] = children[1];
    }
    while (root && root->level && root->count == 1) {
        change_retire(change, root);
        root = root->children[0].node;
    }
    return root;
}

static void change_finish(struct space_index *index, struct change *change, struct index_node *root,
                          uint64_t count) {
    __atomic_store_n(&index->root, root, __ATOMIC_RELEASE);
    __atomic_store_n(&index->count, count, __ATOMIC_RELAXED);
    while (change->gone) {
        struct index_node *node = change->gone;
        change->gone = (struct index_node *)node->defer.next;
        node_retire(node);
    }
}

static void change_run(struct space_index *index, struct change *change) {
    struct index_child children[2];
    static const struct index_node nothing;
    change->index = index;
    unsigned parts = index->root ? node_change(change, index->root, children)
                                 : leaf_change(change, &nothing, children);
    change_finish(index, change, root_make(change, children, parts),
                  index->count + change->count - change->remove);
}

void index_change(struct space_index *index, uintptr_t key, bool remove,
                  const struct space_entry *entries, unsigned count) {
    struct change change = {.key = key, .remove = remove, .entries = entries, .count = count};
    change_run(index, &change);
}

bool index_join(struct space_index *index, const struct space_entry *joined) {
    const struct space_entry *lower = index_find(index, joined->start);
    const struct space_entry *upper = index_find(index, lower->end);
    struct change change = {.key = joined->start, .remove = 2, .entries = joined, .count = 1};
    if (upper != lower + 1) /* a node's last entry is followed by the node's end, never another */
        return false;
    change_run(index, &change);
    return true;
}

/* ---- cutting ---- */

/* A subtree that goes; how many entries it had. */
static uint64_t node_drop(struct change *change, struct index_node *node) {
    uint64_t entries = node->level ? 0 : node->count;
    for (unsigned n = 0; node->level && n < node->count; n++)
        entries += node_drop(change, node->children[n].node);
    change_retire(change, node);
    return entries;
}

/* What is left of a node without [start, end), or NULL; *removed counts the entries. */
static struct index_node *node_cut(struct change *change, struct index_node *node, uintptr_t start,
                                   uintptr_t end, uint64_t *removed) {
    struct index_node *left = node_make(change->index, node->level);
    for (unsigned n = 0; n < node->count; n++) {
        const struct space_entry *entry = &node->entries[n];
        const struct index_child *child = &node->children[n];
        if (node->level == 0) {
            if (entry->start >= start && entry->end <= end)
                ++*removed;
            else
                left->entries[left->count++] = *entry;
        } else if (child->end <= start || child->start >= end) {
            left->children[left->count++] = *child;
        } else if (child->start >= start && child->end <= end) {
            *removed += node_drop(change, child->node);
        } else {
            struct index_node *below = node_cut(change, child->node, start, end, removed);
            if (below)
                left->children[left->count++] = index_child_of(below);
        }
    }
    change_retire(change, node);
    if (left->count)
        return left;
    left->children[0].node = change->index->stock;
    change->index->stock = left;
    change->index->stocked++;
    return NULL;
}

/* At most two children of a level are cut, one at each end. */
void index_cut(struct space_index *index, uintptr_t start, uintptr_t end) {
    struct change change = {.index = index};
    uint64_t removed = 0;
    if (!index->root)
        return;
    struct index_child child = {.node = node_cut(&change, index->root, start, end, &removed)};
    struct index_node *root = root_make(&change, &child, child.node != NULL);
    change_finish(index, &change, root, index->count - removed);
}
