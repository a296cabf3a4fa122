/*
 * The radix tree of an FCM's pages: making, stepping, pruning.
 *
 * A node is filled in before it is shown by one store, and a taller tree is shown by its new root,
 * so whoever walks without the lock finds a tree of some moment. Nodes that have become empty are
 * taken out at once and freed after a grace period.
 *
 * Owns: the nodes. Locking: the owner's, see page_tree.h. Fails: NULL, no memory.
 */
#include "page_tree.h"

#include "../heap/heap.h"

#include <k42/object.h>

#define SLOT_OF(node, index) ((index) >> (node)->shift & (PAGE_TREE_SLOTS - 1))

static void show(uint64_t *slot, uint64_t value) {
    __atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

/* ---- stepping ---- */

/* The first page behind those of a node that covers `index`. */
static uint64_t end_of(const struct page_node *node, uint64_t index) {
    uint64_t span = 1ul << (node->shift + PAGE_TREE_BITS);
    return (index & ~(span - 1)) + span;
}

/* The first slot of a node that is not zero, from the one of *index on; moves *index there. */
static bool next_in(const struct page_node *node, uint64_t *index, uint64_t *value) {
    for (uint64_t at = SLOT_OF(node, *index); at < PAGE_TREE_SLOTS; at++) {
        *value = __atomic_load_n(&node->slots[at], __ATOMIC_ACQUIRE);
        if (*value) {
            if (at != SLOT_OF(node, *index))
                *index = node->base + (at << node->shift);
            return true;
        }
    }
    return false;
}

uint64_t *page_tree_next(const struct page_tree *tree, uint64_t *index) {
    const struct page_node *root = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
    while (root && *index >> root->shift < PAGE_TREE_SLOTS) {
        const struct page_node *node = root;
        uint64_t value;
        while (next_in(node, index, &value)) {
            if (!node->shift)
                return (uint64_t *)&node->slots[SLOT_OF(node, *index)];
            node = (const struct page_node *)value;
        }
        *index = end_of(node, *index);
    }
    return NULL;
}

/* ---- making ---- */

struct page_node *page_node_make(void) {
    return heap_allocate_zeroed(sizeof(struct page_node));
}

static struct page_node *make(struct page_tree *tree, uint64_t base, uint32_t shift,
                              struct page_node **spare) {
    struct page_node *node = spare ? *spare : page_node_make();
    if (!node)
        return NULL;
    if (spare)
        *spare = node->parent;
    node->parent = NULL;
    node->base = base;
    node->shift = shift;
    tree->nodes++;
    return node;
}

static void link(struct page_node *parent, struct page_node *node) {
    node->parent = parent;
    parent->used++;
    show(&parent->slots[SLOT_OF(parent, node->base)], (uint64_t)node);
}

/* Makes the tree tall enough for a page. */
static bool grow(struct page_tree *tree, uint64_t index, struct page_node **spare) {
    if (!tree->root) {
        struct page_node *leaf = make(tree, 0, 0, spare);
        if (!leaf)
            return false;
        __atomic_store_n(&tree->root, leaf, __ATOMIC_RELEASE);
    }
    while (index >> tree->root->shift >= PAGE_TREE_SLOTS) {
        struct page_node *top = make(tree, 0, tree->root->shift + PAGE_TREE_BITS, spare);
        if (!top)
            return false;
        link(top, tree->root);
        __atomic_store_n(&tree->root, top, __ATOMIC_RELEASE);
    }
    return true;
}

/* The node of `shift` above a page. */
static struct page_node *node_for(struct page_tree *tree, uint64_t index, uint32_t shift,
                                  struct page_node **spare) {
    if (!grow(tree, index, spare))
        return NULL;
    struct page_node *node = tree->root;
    while (node->shift > shift) {
        uint64_t below = node->slots[SLOT_OF(node, index)];
        if (!below) {
            uint32_t at = node->shift - PAGE_TREE_BITS;
            struct page_node *new_ =
                make(tree, index >> (at + PAGE_TREE_BITS) << (at + PAGE_TREE_BITS), at, spare);
            if (!new_)
                return NULL;
            link(node, new_);
            below = (uint64_t)new_;
        }
        node = (struct page_node *)below;
    }
    return node;
}

uint64_t *page_tree_place(struct page_tree *tree, uint64_t index) {
    struct page_node *leaf = node_for(tree, index, 0, NULL);
    return leaf ? &leaf->slots[SLOT_OF(leaf, index)] : NULL;
}

static struct page_node *leaf_of(uint64_t *slot, uint64_t index) {
    return k42_container(slot - (index & (PAGE_TREE_SLOTS - 1)), struct page_node, slots);
}

void page_tree_add(struct page_tree *tree, uint64_t *slot, uint64_t index, uint64_t word) {
    leaf_of(slot, index)->used++;
    __atomic_store_n(&tree->pages, tree->pages + 1, __ATOMIC_RELAXED);
    show(slot, word);
}

/* ---- pruning ---- */

static void free_node(struct k42_defer *defer) {
    heap_free(defer);
}

static void prune(struct page_tree *tree, struct page_node *node) {
    while (node && !node->used) {
        struct page_node *parent = node->parent;
        if (parent) {
            parent->used--;
            show(&parent->slots[SLOT_OF(parent, node->base)], 0);
        } else {
            __atomic_store_n(&tree->root, NULL, __ATOMIC_RELEASE);
        }
        tree->nodes--;
        k42_defer(&node->defer, free_node);
        node = parent;
    }
}

void page_tree_remove(struct page_tree *tree, uint64_t index) {
    uint64_t *slot = page_tree_find(tree, index);
    struct page_node *leaf = leaf_of(slot, index);
    show(slot, 0);
    leaf->used--;
    __atomic_store_n(&tree->pages, tree->pages - 1, __ATOMIC_RELAXED);
    prune(tree, leaf);
}

/* ---- moving ---- */

void page_nodes_free(struct page_node *list) {
    while (list) {
        struct page_node *next = list->parent;
        heap_free(list);
        list = next;
    }
}

bool page_tree_adopt(struct page_tree *tree, struct page_node *leaf, struct page_node **spare) {
    if (!tree->root && !leaf->base) {
        leaf->parent = NULL;
        tree->root = leaf;
    } else {
        struct page_node *above = NULL;
        if (grow(tree, leaf->base, spare))
            above = node_for(tree, leaf->base, PAGE_TREE_BITS, spare);
        if (!above)
            return false;
        link(above, leaf);
    }
    tree->nodes++;
    tree->pages += leaf->used;
    return true;
}

/* Depth first, by way of `parent`; each slot is emptied as it is taken. */
void page_tree_discard(struct page_tree *tree) {
    struct page_node *node = tree->root;
    while (node) {
        uint64_t below = 0;
        for (uint32_t at = 0; node->shift && at < PAGE_TREE_SLOTS && !below; at++) {
            below = node->slots[at];
            node->slots[at] = 0;
        }
        struct page_node *parent = node->parent;
        if (below) {
            node = (struct page_node *)below;
        } else {
            heap_free(node);
            node = parent;
        }
    }
    *tree = (struct page_tree){NULL, 0, 0};
}
