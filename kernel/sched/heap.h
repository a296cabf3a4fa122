/*
 * Pairing heaps: what is next, in the order of a number; deadlines and turns use them.
 *
 * Every node's key is no larger than its children's; the first is the least. Two heaps are joined
 * by making the root with the larger key the other's first child. Taking a node out joins its
 * children two by two, which keeps the cost at the logarithm of their number on average; adding and
 * looking cost a few instructions.
 *
 * Nodes lie in what is ordered, and are its owner's, who locks. Nothing is allocated, nothing
 * fails.
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint64_t key;
    struct heap_node *child, *sibling; /* first child, next child of the same parent */
    struct heap_node *before;          /* the sibling before, or the parent */
};

struct heap {
    struct heap_node *first; /* with the least key; NULL: empty */
};

void heap_add(struct heap *heap, struct heap_node *node, uint64_t key);
/* It must be in the heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
