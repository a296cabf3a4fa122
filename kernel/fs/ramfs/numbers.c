/*
 * Inodes by number, found without a lock: how a method that is given another node's ref comes from
 * the number that node says it has to the file system's own record.
 *
 * Numbers are given in order and never again. They lie in a radix tree that grows at its top. A
 * node whose numbers, or nodes below, were all given and taken back goes; so what there is depends
 * on the inodes that live and on how their numbers lie, and not on how many there ever were. The
 * nodes have a cache of their own, by whose name what there is of them is told.
 *
 * Locking: a node is made, and taken out, with the lock; it is filled in before it is shown by one
 * store, and freed after a grace period, so finding one needs no lock. Those above a node stay as
 * long as it does. Fails: -ENOMEM, and then no number was given.
 */
#include "ramfs.h"

#include "../../mem/heap/heap.h"
#include "platform.h"

#include <errno.h>

enum { BITS = 6, SLOTS = 1 << BITS };

struct number_node {
    struct k42_defer defer;
    struct number_node *above; /* NULL: the top */
    uint64_t first;            /* number */
    uint32_t shift;            /* a slot is for so many numbers, as a power of two; 0: an inode */
    uint32_t left; /* slots that are not over: none of its numbers is to be used any more; atomic */
    void *slots[SLOTS];
};

static struct heap_cache *cache;

k42_result numbers_open(void) {
    cache = heap_cache_create("inode-numbers", sizeof(struct number_node), 64);
    return cache ? 0 : -ENOMEM;
}

static bool covers(const struct number_node *node, uint64_t number) {
    return (number - node->first) >> node->shift < SLOTS;
}

static void **slot_of(struct number_node *node, uint64_t number) {
    return &node->slots[(number >> node->shift) % SLOTS];
}

/* The node with the slot of a number's inode, or NULL: nobody has that number. */
static struct number_node *find(const struct numbers *numbers, uint64_t number) {
    struct number_node *node = __atomic_load_n(&numbers->top, __ATOMIC_ACQUIRE);
    if (node && !covers(node, number))
        return NULL;
    while (node && node->shift)
        node = __atomic_load_n(slot_of(node, number), __ATOMIC_ACQUIRE);
    return node;
}

/* ---- nodes that come and go, with the lock ---- */

static struct number_node *make(struct number_node *above, uint64_t number, uint32_t shift) {
    struct number_node *node = heap_cache_allocate_zeroed(cache);
    if (!node)
        return NULL;
    node->above = above;
    node->shift = shift;
    node->first = number >> (shift + BITS) << (shift + BITS);
    /* There is no number 0. */
    node->left = number < SLOTS && !shift ? SLOTS - 1 : SLOTS;
    return node;
}

static void free_node(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct number_node, defer));
}

/* Another top, until it covers the number. A top that is over goes then; one whose last slot ends
 * while it gets a node above is for whoever ended that, who takes the lock after this. */
static struct number_node *grow(struct numbers *numbers, uint64_t number) {
    struct number_node *top = numbers->top;
    while (!top || !covers(top, number)) {
        struct number_node *above = make(NULL, 0, top ? top->shift + BITS : 0);
        if (!above)
            return NULL;
        bool used = top && __atomic_load_n(&top->left, __ATOMIC_ACQUIRE);
        if (used) {
            above->slots[0] = top;
            top->above = above;
        } else if (top) {
            above->left--;
        }
        __atomic_store_n(&numbers->top, above, __ATOMIC_RELEASE);
        if (top && !used)
            k42_defer(&top->defer, free_node);
        top = above;
    }
    return top;
}

/*
 * Has there be a slot for the number that is given next. If that is another one by now, there is
 * nothing to do; otherwise it is until there is a slot.
 */
static k42_result prepare(struct numbers *numbers, uint64_t number) {
    struct number_node *node = NULL;
    k42_lock(&numbers->lock);
    bool next = __atomic_load_n(&numbers->last, __ATOMIC_ACQUIRE) + 1 == number;
    if (next)
        node = grow(numbers, number);
    while (node && node->shift) {
        void **slot = slot_of(node, number);
        if (!*slot)
            __atomic_store_n(slot, make(node, number, node->shift - BITS), __ATOMIC_RELEASE);
        node = *slot;
    }
    k42_unlock(&numbers->lock);
    return node || !next ? 0 : -ENOMEM;
}

/* A slot of the node is over, and perhaps the node with it, which then goes; the top stays. */
static void end_slot(struct numbers *numbers, struct number_node *node, uint64_t number) {
    if (__atomic_sub_fetch(&node->left, 1, __ATOMIC_ACQ_REL))
        return;
    k42_lock(&numbers->lock);
    struct number_node *above = node->above;
    while (above) {
        __atomic_store_n(slot_of(above, number), NULL, __ATOMIC_RELAXED);
        k42_defer(&node->defer, free_node);
        node = above;
        above = __atomic_sub_fetch(&node->left, 1, __ATOMIC_ACQ_REL) ? NULL : node->above;
    }
    k42_unlock(&numbers->lock);
}

/* ---- numbers ---- */

k42_result numbers_add(struct numbers *numbers, struct inode *inode) {
    for (;;) {
        uint64_t last = __atomic_load_n(&numbers->last, __ATOMIC_ACQUIRE);
        /* Stays as long as the number is not given; then it is ours, and stays for it. */
        struct number_node *node = find(numbers, last + 1);
        if (!node) {
            if (prepare(numbers, last + 1) < 0)
                return -ENOMEM;
            continue;
        }
        if (!__atomic_compare_exchange_n(&numbers->last, &last, last + 1, true, __ATOMIC_ACQ_REL,
                                         __ATOMIC_RELAXED))
            continue;
        inode->number = last + 1;
        __atomic_store_n(slot_of(node, last + 1), inode, __ATOMIC_RELEASE);
        return 0;
    }
}

void numbers_remove(struct numbers *numbers, uint64_t number) {
    struct number_node *node = find(numbers, number);
    __atomic_store_n(slot_of(node, number), NULL, __ATOMIC_RELAXED);
    end_slot(numbers, node, number);
}

struct inode *numbers_find(struct numbers *numbers, uint64_t number) {
    struct number_node *node = find(numbers, number);
    return node ? __atomic_load_n(slot_of(node, number), __ATOMIC_ACQUIRE) : NULL;
}

static void end(struct number_node *node) {
    for (unsigned i = 0; node && node->shift && i < SLOTS; i++)
        end(node->slots[i]);
    heap_free(node);
}

void numbers_end(struct numbers *numbers) {
    end(numbers->top);
}
