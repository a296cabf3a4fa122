/*
 * Pairing heaps (heap.h). Data and locking are the caller's; nothing fails.
 */
#include "heap.h"

static struct heap_node *join(struct heap_node *a, struct heap_node *b) {
    if (!a || !b)
        return a ? a : b;
    if (b->key < a->key) {
        struct heap_node *least = b;
        b = a;
        a = least;
    }
    b->sibling = a->child;
    if (b->sibling)
        b->sibling->before = b;
    b->before = a;
    a->child = b;
    return a;
}

/* One heap of a list of siblings: first each two from the left, then all from the right. */
static struct heap_node *join_siblings(struct heap_node *list) {
    struct heap_node *pairs = NULL;
    while (list) {
        struct heap_node *first = list, *second = list->sibling;
        list = second ? second->sibling : NULL;
        first->sibling = NULL;
        if (second)
            second->sibling = NULL;
        struct heap_node *pair = join(first, second);
        pair->sibling = pairs;
        pairs = pair;
    }
    struct heap_node *heap = NULL;
    while (pairs) {
        struct heap_node *next = pairs->sibling;
        pairs->sibling = NULL;
        heap = join(heap, pairs);
        pairs = next;
    }
    if (heap)
        heap->before = NULL;
    return heap;
}

void heap_add(struct heap *heap, struct heap_node *node, uint64_t key) {
    *node = (struct heap_node){.key = key};
    heap->first = join(heap->first, node);
}

void heap_remove(struct heap *heap, struct heap_node *node) {
    struct heap_node *below = node->child ? join_siblings(node->child) : NULL;
    if (node == heap->first) {
        heap->first = below;
        return;
    }
    if (node->before->child == node)
        node->before->child = node->sibling;
    else
        node->before->sibling = node->sibling;
    if (node->sibling)
        node->sibling->before = node->before;
    if (below)
        heap->first = join(heap->first, below);
}
