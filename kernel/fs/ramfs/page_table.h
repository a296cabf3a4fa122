/*
 * The pages of a file by number: a tree of tables of 64, as high as the largest number needs; a
 * file of one page is a tree of height 0. Its owner locks it. No page is ever moved.
 */
#ifndef KERNEL_RAMFS_PAGE_TABLE_H
#define KERNEL_RAMFS_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_table {
    void *root; /* a page, or a table of pointers */
    unsigned height;
    uint64_t count; /* pages */
};

/* NULL: no such page. */
void *page_table_find(const struct page_table *table, uint64_t index);
/* The entries of the pages from `index` on that lie together, NULL where there is no page; how
 * many, at least one. NULL: there is none of these pages. */
void *const *page_table_run(const struct page_table *table, uint64_t index, unsigned *count);
/* Puts a page where there is none. False: no memory. */
bool page_table_add(struct page_table *table, uint64_t index, void *page);
/* Takes one out, which is there. */
void *page_table_remove(struct page_table *table, uint64_t index);
/* The first page at or after *index, which becomes its number; NULL: none. */
void *page_table_next(const struct page_table *table, uint64_t *index);
/* Frees the tables; the pages have been removed or are somebody else's. */
void page_table_end(struct page_table *table);

#endif
