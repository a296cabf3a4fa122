/*
 * A tree of pages. See page_table.h.
 */
#include "page_table.h"

#include "platform.h"

enum { BITS = 6, FANOUT = 1 << BITS };

/* Whether a tree of that height reaches a page. */
static bool reaches(unsigned height, uint64_t index) {
    return height * BITS >= 64 || index >> (height * BITS) == 0;
}

static void **slot_in(void **node, unsigned height, uint64_t index) {
    return &node[index >> ((height - 1) * BITS) & (FANOUT - 1)];
}

void *page_table_find(const struct page_table *table, uint64_t index) {
    void *at = table->root;
    if (!reaches(table->height, index))
        return NULL;
    for (unsigned height = table->height; at && height; height--)
        at = *slot_in(at, height, index);
    return at;
}

void *const *page_table_run(const struct page_table *table, uint64_t index, unsigned *count) {
    void *at = table->root;
    *count = FANOUT - (unsigned)(index % FANOUT);
    if (!reaches(table->height, index))
        return NULL;
    if (!table->height) {
        *count = 1;
        return at ? &table->root : NULL;
    }
    for (unsigned height = table->height; at && height > 1; height--)
        at = *slot_in(at, height, index);
    return at ? slot_in(at, 1, index) : NULL;
}

bool page_table_add(struct page_table *table, uint64_t index, void *page) {
    while (!reaches(table->height, index)) {
        if (table->root) {
            void **above = k42_platform_alloc(FANOUT * sizeof(void *));
            if (!above)
                return false;
            above[0] = table->root;
            table->root = above;
        }
        table->height++;
    }
    void **slot = &table->root;
    for (unsigned height = table->height; height; height--) {
        if (!*slot)
            *slot = k42_platform_alloc(FANOUT * sizeof(void *));
        if (!*slot)
            return false;
        slot = slot_in(*slot, height, index);
    }
    *slot = page;
    table->count++;
    return true;
}

void *page_table_remove(struct page_table *table, uint64_t index) {
    void **slot = &table->root;
    for (unsigned height = table->height; height; height--)
        slot = slot_in(*slot, height, index);
    void *page = *slot;
    *slot = NULL;
    table->count--;
    return page;
}

static void *next_in_leaf(void *const *pages, uint64_t first, uint64_t *index) {
    for (uint64_t n = *index > first ? *index - first : 0; n < FANOUT; n++)
        if (pages[n]) {
            *index = first + n;
            return pages[n];
        }
    return NULL;
}

static void *next_in(void *at, unsigned height, uint64_t first, uint64_t *index) {
    if (!at || !height)
        return at;
    if (height == 1)
        return next_in_leaf(at, first, index);
    unsigned shift = (height - 1) * BITS;
    uint64_t from = *index > first ? (*index - first) >> shift : 0;
    for (uint64_t n = from; n < FANOUT; n++) {
        uint64_t begin = first + (n << shift);
        if (begin > *index)
            *index = begin;
        void *found = next_in(((void **)at)[n], height - 1, begin, index);
        if (found)
            return found;
    }
    return NULL;
}

void *page_table_next(const struct page_table *table, uint64_t *index) {
    return reaches(table->height, *index) ? next_in(table->root, table->height, 0, index) : NULL;
}

static void end_in(void *at, unsigned height) {
    if (!at || !height)
        return;
    for (unsigned n = 0; n < FANOUT && height > 1; n++)
        end_in(((void **)at)[n], height - 1);
    k42_platform_free(at);
}

void page_table_end(struct page_table *table) {
    end_in(table->root, table->height);
}
