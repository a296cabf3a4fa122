/*
 * The pages of one FCM: a radix tree of fan-out 64 from a page's number to its word.
 *
 * A page is one word: flags, the number of its frame, and how many hold it, so that giving a page
 * that is present is a walk and one compare-and-swap. A word that is zero is an absent page.
 *
 * Locking. Finding and stepping are lock-free, for active threads: nodes go after a grace period.
 * Whoever makes a word nonzero or zero holds the owner's lock, and says so (page_tree_add,
 * page_tree_remove); all other changes are compare-and-swaps by anybody. So a word that is zero
 * stays so for whoever has the lock, and a node that is taken out has nothing but zeros.
 */
#ifndef KERNEL_PAGE_TREE_H
#define KERNEL_PAGE_TREE_H

#include <k42/thread.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT      12u
#define PAGE_BYTES      (1ul << PAGE_SHIFT)
#define PAGE_NUMBERS    (1ul << 51) /* a file has 2^63 bytes at most */
#define PAGE_TREE_BITS  6u
#define PAGE_TREE_SLOTS (1u << PAGE_TREE_BITS)

/*
 * The word: flags in the lowest 12 bits, the frame's number in 32, two more flags, holds in 18.
 *
 *   0 -> FILLING -> PRESENT ... -> PRESENT|LEAVING -> 0
 *
 * with DIRTY set and cleared and WRITING coming and going in between. A page that is FILLING may
 * be LEAVING as well (cut off meanwhile), and so may one that is WRITING or held; it goes when
 * that is over. FILLING without a frame is a page somebody is just finding a frame for.
 */
enum {
    PAGE_FILLING = 1,
    PAGE_PRESENT = 2,
    PAGE_DIRTY = 4,
    PAGE_WRITING = 8,
    PAGE_LEAVING = 16,
    PAGE_MAPPED = 32,    /* somewhere, within some attachment */
    PAGE_USED = 64,      /* again since the clock came by, or since it came */
    PAGE_FRESH = 128,    /* nobody has got it yet; FILLING: somebody waits for it */
    PAGE_FAILED = 256,   /* could not be filled; whoever asks next is told */
    PAGE_SYNC = 512,     /* is to be written once more for a sync() */
    PAGE_AWAITED = 1024, /* somebody waits for its holds to drain */
    PAGE_EVICTED = 2048  /* leaving by the hand of who marked it so, and soon gone */
};
#define PAGE_SOLE       (1ul << 44) /* was adopted and not written yet: it is nowhere else */
#define PAGE_STUCK      (1ul << 45) /* sole, and writing it has failed; it is dirty or written again */
#define PAGE_HOLD       (1ul << 46)
#define PAGE_HOLDS_MAX  ((1ul << 18) - 1)
#define PAGE_FRAME_MASK (0xfffffffful << PAGE_SHIFT)

static inline uint64_t page_holds(uint64_t word) {
    return word / PAGE_HOLD;
}

static inline uint64_t page_physical(uint64_t word) {
    return word & PAGE_FRAME_MASK;
}

static inline uint64_t page_load(const uint64_t *slot) {
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* A full barrier, so that a look into the table of waiters may follow. Updates *word on failure. */
static inline bool page_change(uint64_t *slot, uint64_t *word, uint64_t to) {
    return __atomic_compare_exchange_n(slot, word, to, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

struct page_node {
    struct k42_defer defer;
    struct page_node *parent;
    uint64_t base;  /* the first page it covers */
    uint32_t shift; /* of a page's number, for the slot; 0: slots are words of pages */
    uint32_t used;  /* slots that are not zero */
    uint64_t slots[PAGE_TREE_SLOTS];
};

struct page_tree {
    struct page_node *root;
    uint64_t pages; /* words that are not zero; written under the lock */
    uint64_t nodes;
};

/* The word of a page; NULL: absent, and nothing is there to make it in. */
static inline uint64_t *page_tree_find(const struct page_tree *tree, uint64_t index) {
    struct page_node *node = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
    if (__builtin_expect(!node || index >> node->shift >= PAGE_TREE_SLOTS, 0))
        return NULL;
    while (node->shift) {
        node = (struct page_node *)__atomic_load_n(
            &node->slots[index >> node->shift & (PAGE_TREE_SLOTS - 1)], __ATOMIC_ACQUIRE);
        if (__builtin_expect(!node, 0))
            return NULL;
    }
    return &node->slots[index & (PAGE_TREE_SLOTS - 1)];
}

/* The first word that is not zero, from *index on, which becomes its page's. NULL: none. */
uint64_t *page_tree_next(const struct page_tree *tree, uint64_t *index);

/* Under the owner's lock: the place for a page, nodes made for it. NULL: no memory. */
uint64_t *page_tree_place(struct page_tree *tree, uint64_t index);
/* Writes a word there that was zero. */
void page_tree_add(struct page_tree *tree, uint64_t *slot, uint64_t index, uint64_t word);
/* Makes the word of a page zero; nodes without pages go after a grace period. */
void page_tree_remove(struct page_tree *tree, uint64_t index);

/* Nodes for moving pages to another tree: taken from a list, chained by `parent`, zeroed. */
struct page_node *page_node_make(void);
void page_nodes_free(struct page_node *list);
/* Puts a filled leaf into a tree that has none there, with nodes from the list. False: too few. */
bool page_tree_adopt(struct page_tree *tree, struct page_node *leaf, struct page_node **spare);

/* Frees all nodes; nobody uses the tree. The words are the caller's business. */
void page_tree_discard(struct page_tree *tree);

#endif
