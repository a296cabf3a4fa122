/*
 * The tree of index.h: at most FAN entries or children a node, for each child how far it reaches
 * and the largest gap between its entries.
 */
#include "index.h"

#include <errno.h>
#include <k42/k42.h>

#include "../heap/heap.h"
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

static uintptr_t entry_start(const struct space_entry *entry) {
    return entry->start - ((uintptr_t)entry->below << MACHINE_PAGE_SHIFT);
}

/* ---- looking ---- */

static struct index_node *index_root(const struct space_index *index) {
    return __atomic_load_n(&index->root, __ATOMIC_ACQUIRE);
}

const struct space_entry *index_find(const struct space_index *index, uintptr_t address) {
    struct index_node *node = index_root(index);
    while (node) {
        unsigned n = 0;
        if (node->level == 0) {
            while (n < node->count && node->entries[n].end <= address)
                n++;
            return n < node->count ? &node->entries[n] : NULL;
        }
        while (n < node->count && node->children[n].end <= address)
            n++;
        node = n < node->count ? node->children[n].node : NULL;
    }
    return NULL;
}

/* A child's start may be less than its first entry's: then the child before it has the answer. */
static const struct space_entry *node_before(const struct index_node *node, uintptr_t address) {
    for (unsigned n = node->count; n-- > 0;) {
        if (node->level == 0) {
            if (node->entries[n].start < address)
                return &node->entries[n];
        } else if (node->children[n].start < address) {
            const struct space_entry *found = node_before(node->children[n].node, address);
            if (found)
                return found;
        }
    }
    return NULL;
}

const struct space_entry *index_before(const struct space_index *index, uintptr_t address) {
    struct index_node *root = index_root(index);
    return root ? node_before(root, address) : NULL;
}

/* ---- places ---- */

struct placing {
    size_t length, align;
    uintptr_t low, above; /* what is right of where we look is in use from `above` on */
};

static uintptr_t place_between(const struct placing *placing, uintptr_t from) {
    from = from < placing->low ? placing->low : from;
    if (placing->above < from || placing->above - from < placing->length)
        return 0;
    uintptr_t place = (placing->above - placing->length) & ~(placing->align - 1);
    return place >= from ? place : 0;
}

static uintptr_t node_place(const struct index_node *node, struct placing *placing) {
    for (unsigned n = node->count; n-- > 0;) {
        bool leaf = node->level == 0;
        const struct space_entry *entry = &node->entries[n];
        const struct index_child *child = &node->children[n];
        uintptr_t start = leaf ? entry_start(entry) : child->start;
        uintptr_t end = leaf ? entry->end : child->end;
        uintptr_t place = place_between(placing, end);
        if (!place && !leaf && child->gap >= placing->length && start < placing->above)
            place = node_place(child->node, placing);
        if (place || end <= placing->low)
            return place;
        if (start < placing->above)
            placing->above = start;
    }
    return 0;
}

uintptr_t index_place(const struct space_index *index, size_t length, size_t align, uintptr_t low,
                      uintptr_t high) {
    struct placing placing = {length, align, low, high};
    struct index_node *root = index_root(index);
    uintptr_t place = root ? node_place(root, &placing) : 0;
    return place ? place : place_between(&placing, low);
}

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

static struct index_child child_of(struct index_node *node) {
    struct index_child child = {.node = node};
    uintptr_t before = 0;
    for (unsigned n = 0; n < node->count; n++) {
        bool leaf = node->level == 0;
        const struct space_entry *entry = &node->entries[n];
        uintptr_t start = leaf ? entry_start(entry) : node->children[n].start;
        uintptr_t end = leaf ? entry->end : node->children[n].end;
        size_t gap = leaf ? 0 : node->children[n].gap;
        if (n == 0)
            child.start = start;
        else if (start > before && start - before > gap)
            gap = start - before;
        child.gap = gap > child.gap ? gap : child.gap;
        before = end;
    }
    child.end = before;
    return child;
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
        children[part] = child_of(node);
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

/* ---- many at once ---- */

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
                left->children[left->count++] = child_of(below);
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

struct cloning {
    struct space_index *index;
    k42_result (*make)(void *context, struct space_entry *entry);
    void *context;
};

/* What became of a node: *made, or NULL when nothing was left of it. */
static k42_result node_clone(struct cloning *cloning, const struct index_node *from,
                             struct index_node **made) {
    struct index_node *node = heap_allocate(sizeof(*node));
    k42_result result = node ? 0 : -ENOMEM;
    *made = node;
    if (!node)
        return result;
    node->level = from->level;
    node->count = 0;
    for (unsigned n = 0; n < from->count && result >= 0; n++) {
        struct index_node *below = NULL;
        if (node->level) {
            result = node_clone(cloning, from->children[n].node, &below);
            if (below)
                node->children[node->count++] = child_of(below);
        } else {
            node->entries[node->count] = from->entries[n];
            result = cloning->make(cloning->context, &node->entries[node->count]);
            node->count += result == 0;
            cloning->index->count += result == 0;
        }
    }
    if (node->count == 0) {
        heap_free(node);
        *made = NULL;
    }
    return result < 0 ? result : 0;
}

k42_result index_clone(const struct space_index *from, struct space_index *to,
                       k42_result (*make)(void *context, struct space_entry *entry),
                       void *context) {
    struct cloning cloning = {to, make, context};
    return from->root ? node_clone(&cloning, from->root, &to->root) : 0;
}

static void nodes_free(struct index_node *node) {
    for (unsigned n = 0; node->level && n < node->count; n++)
        nodes_free(node->children[n].node);
    heap_free(node);
}

void index_free(struct space_index *index) {
    if (index->root)
        nodes_free(index->root);
    while (index->stock) {
        struct index_node *node = index->stock;
        index->stock = node->children[0].node;
        heap_free(node);
    }
    *index = (struct space_index){0};
}
