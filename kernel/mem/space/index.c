/*
 * The tree of index.h: at most FAN entries or children a node, for each child how far it reaches
 * and the largest gap between its entries. Here it is looked at, made as a copy, and freed whole;
 * index_change.c changes it.
 */
#include "index_node.h"

#include <errno.h>
#include <k42/k42.h>

#include "../heap/heap.h"

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

/* ---- whole trees ---- */

struct index_child index_child_of(struct index_node *node) {
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
                node->children[node->count++] = index_child_of(below);
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
