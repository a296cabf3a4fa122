/*
 * Inside reserves: pages of kernel address space and their entries.                      pages.c
 *
 * The entry is the only record of a page. Private pages are writable and own their frame; shared
 * ones are read-only and show a template's frame. An entry goes from nothing to either by one
 * compare-and-swap; it leaves either only by way of busy, whose maker flushes before it goes on.
 */
#ifndef K42_KERNEL_RESERVE_PAGES_H
#define K42_KERNEL_RESERVE_PAGES_H

#include "../frame/frame.h"

int pages_open(void);

static inline uintptr_t page_of(uintptr_t address) {
    return address & ~(uintptr_t)(MACHINE_PAGE_SIZE - 1);
}

static inline size_t round_up_to_pages(size_t bytes) {
    return (bytes + MACHINE_PAGE_SIZE - 1) & ~(MACHINE_PAGE_SIZE - 1);
}

/* Gives a page that may have nothing a zeroed frame. False: no memory. */
bool page_fill(uintptr_t page);
/* Makes a page show the template's, read-only, or for a write a copy of it. False: no memory. */
bool page_share(uintptr_t page, uintptr_t template_page);
bool page_copy(uintptr_t page, uintptr_t template_page);

/*
 * Takes private pages, or all, of a range away and frees their frames. Whoever touches one of them
 * meanwhile reaches the old frame or faults.
 */
void pages_discard_private(uintptr_t start, uintptr_t end);
void pages_discard(uintptr_t start, uintptr_t end);

/* tables.c: false: the address is none of its, or there is no memory. */
bool table_fault(uintptr_t address, bool write);

#endif
