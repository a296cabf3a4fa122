/*
 * Regions: ranges of reserved address space, each from a whole MACHINE_TABLE_SPAN on and with at
 * least a page after it that is never filled, so that running off the end is a fault.
 *
 * A fault finds its region by two loads from an index by span, without a lock: entries are set
 * before anybody knows the region's address and cleared after nobody uses it any more.
 *
 * Owns: the list of regions, by address, and the index. Locking: regions.lock, for making and
 * ending them only; heap and frame locks come inside it. Fails: with NULL.
 */
#include <errno.h>

#include "../../../core/platform.h"
#include "../../../core/runtime.h"
#include "../frame/spin.h"
#include "../heap/heap.h"
#include "pages.h"
#include "reserve.h"

#define PER_LEAF 512u
#define LEAVES   512u /* 512 GiB in all */

struct region {
    struct region *next;
    uintptr_t start;
    uintptr_t end;   /* of what may be touched */
    uintptr_t limit; /* of its spans */
};

struct leaf {
    struct region *regions[PER_LEAF];
};

static struct {
    struct spin lock;
    struct region *first;
    struct leaf *leaves[LEAVES];
} regions;

/* ---- index ---- */

static size_t span_of(uintptr_t address) {
    return (address - machine_reserve_start()) / MACHINE_TABLE_SPAN;
}

static struct region *region_at(uintptr_t address) {
    if (address < machine_reserve_start() || address >= machine_reserve_end())
        return NULL;
    size_t span = span_of(address);
    struct leaf *leaf = __atomic_load_n(&regions.leaves[span / PER_LEAF], __ATOMIC_ACQUIRE);
    return leaf ? __atomic_load_n(&leaf->regions[span % PER_LEAF], __ATOMIC_ACQUIRE) : NULL;
}

static bool make_leaves(const struct region *region) {
    for (size_t i = span_of(region->start) / PER_LEAF; i <= span_of(region->limit - 1) / PER_LEAF;
         i++) {
        if (regions.leaves[i])
            continue;
        struct leaf *leaf = heap_allocate_zeroed(sizeof(*leaf));
        if (!leaf)
            return false;
        __atomic_store_n(&regions.leaves[i], leaf, __ATOMIC_RELEASE);
    }
    return true;
}

static void enter(const struct region *region, struct region *as) {
    for (size_t span = span_of(region->start); span <= span_of(region->limit - 1); span++)
        __atomic_store_n(&regions.leaves[span / PER_LEAF]->regions[span % PER_LEAF], as,
                         __ATOMIC_RELEASE);
}

/* ---- making and ending ---- */

static uintptr_t lock(void) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&regions.lock);
    return interrupts;
}

static void unlock(uintptr_t interrupts) {
    spin_leave(&regions.lock);
    machine_interrupts_restore(interrupts);
}

/* Under the lock: the first gap that is wide enough. The regions are few: dozens, and some for each
 * CPU. */
static bool place(struct region *region, size_t bytes, size_t width) {
    uintptr_t start = machine_reserve_start();
    struct region **link = &regions.first;
    for (; *link && (*link)->start - start < width; link = &(*link)->next)
        start = (*link)->limit;
    if (machine_reserve_end() - start < width)
        return false;
    region->start = start;
    region->end = start + bytes;
    region->limit = start + width;
    if (!make_leaves(region))
        return false;
    region->next = *link;
    *link = region;
    enter(region, region);
    return true;
}

void *k42_platform_reserve(size_t bytes) {
    size_t all = machine_reserve_end() - machine_reserve_start();
    if (bytes == 0 || bytes > all - MACHINE_TABLE_SPAN)
        return NULL;
    bytes = round_up_to_pages(bytes);
    size_t width = (bytes + MACHINE_PAGE_SIZE + MACHINE_TABLE_SPAN - 1) & ~(MACHINE_TABLE_SPAN - 1);
    struct region *region = heap_allocate(sizeof(*region));
    if (!region)
        return NULL;
    uintptr_t interrupts = lock();
    bool placed = place(region, bytes, width);
    unlock(interrupts);
    if (placed)
        return (void *)region->start;
    heap_free(region);
    return NULL;
}

static void refuse(const void *memory) {
    char line[128];
    k42_format_text(line, sizeof(line), "ending the reserve at 0x%lx: there is none",
                    (unsigned long)(uintptr_t)memory);
    k42_platform_panic(line);
}

/* First the pages, then the place: nobody else reserves it while anything is left there. */
void k42_platform_unreserve(void *memory, size_t bytes) {
    struct region *region = region_at((uintptr_t)memory);
    if (!region || region->start != (uintptr_t)memory ||
        region->end - region->start != round_up_to_pages(bytes))
        refuse(memory);
    pages_discard(region->start, region->end);
    machine_tables_drop(region->start, region->limit);
    uintptr_t interrupts = lock();
    struct region **link = &regions.first;
    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    enter(region, NULL);
    unlock(interrupts);
    heap_free(region);
}

/* ---- faults ---- */

static bool region_fault(uintptr_t address) {
    const struct region *region = region_at(address);
    return region && address < region->end && page_fill(page_of(address));
}

bool reserve_fault(uintptr_t address, bool write) {
    return region_fault(address) || table_fault(address, write);
}

int reserve_open(void) {
    return pages_open();
}
