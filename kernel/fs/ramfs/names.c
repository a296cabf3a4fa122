/*
 * The names in one directory: an array of slots, and, unless they are few, an open-addressed table
 * by hash.
 *
 * Readers take no lock. Both arrays are replaced whole when they grow and freed after a grace
 * period; so is an entry that was removed. A reader who has an older array sees the directory as
 * it was when he began. A cell goes from empty to an entry to GONE, and back to an entry; a search
 * ends at an empty one, and there is always one, since at most half are not empty.
 */
#include "ramfs.h"

#include "platform.h"

#include <errno.h>
#include <string.h>

enum { FIRST_CELLS = 8, MOST_ENTRIES = 1 << 28 };

struct cells {
    struct k42_defer defer;
    uint32_t mask;
    struct entry *cell[];
};

/* A free slot has 1 + 2 * the next free one's number, or 1. */
struct slots {
    struct k42_defer defer;
    uint32_t capacity;
    struct entry *slot[];
};

#define GONE ((struct entry *)1)

static bool is_entry(const struct entry *entry) {
    return !((uintptr_t)entry & 1) && entry;
}

struct entry *entry_make(const struct node_name *name, struct inode *inode) {
    struct entry *entry = k42_platform_alloc(sizeof(*entry) + name->length);
    if (!entry)
        return NULL;
    entry->inode = inode;
    entry->hash = name->hash;
    entry->length = name->length;
    memcpy(entry->text, name->text, name->length);
    return entry;
}

void entry_free(struct entry *entry) {
    k42_platform_free(entry);
}

static bool is_called(const struct entry *entry, const struct node_name *name) {
    return entry->hash == name->hash && entry->length == name->length &&
           !memcmp(entry->text, name->text, name->length);
}

struct entry *names_find_listed(const struct names *names, const struct node_name *name) {
    const struct slots *slots = __atomic_load_n(&names->slots, __ATOMIC_ACQUIRE);
    uint32_t top = __atomic_load_n(&names->top, __ATOMIC_RELAXED);
    if (!slots)
        return NULL;
    top = top < slots->capacity ? top : slots->capacity;
    for (uint32_t at = 0; at < top; at++) {
        struct entry *entry = __atomic_load_n(&slots->slot[at], __ATOMIC_ACQUIRE);
        if (is_entry(entry) && is_called(entry, name))
            return entry;
    }
    return NULL;
}

struct entry *names_find_hashed(const struct names *names, const struct node_name *name) {
    const struct cells *cells = __atomic_load_n(&names->cells, __ATOMIC_ACQUIRE);
    if (!cells)
        return NULL;
    for (uint32_t at = name->hash & cells->mask;; at = (at + 1) & cells->mask) {
        struct entry *entry = __atomic_load_n(&cells->cell[at], __ATOMIC_ACQUIRE);
        if (!entry)
            return NULL;
        if (entry != GONE && is_called(entry, name))
            return entry;
    }
}

/* Returns whether the cell was empty, not just free. */
static bool put(struct cells *cells, struct entry *entry) {
    uint32_t at = entry->hash & cells->mask;
    while (is_entry(cells->cell[at]))
        at = (at + 1) & cells->mask;
    bool empty = !cells->cell[at];
    __atomic_store_n(&cells->cell[at], entry, __ATOMIC_RELEASE);
    return empty;
}

static void free_cells(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct cells, defer));
}

static void free_slots(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct slots, defer));
}

static void free_entry(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct entry, defer));
}

void entry_defer_free(struct entry *entry) {
    k42_defer(&entry->defer, free_entry);
}

struct entry *names_find(const struct names *names, const struct node_name *name) {
    return names->listed ? names_find_listed(names, name) : names_find_hashed(names, name);
}

struct cells *names_table_make(uint32_t entries) {
    uint32_t count = FIRST_CELLS;
    while (count < 4 * (entries + 1))
        count *= 2;
    struct cells *cells = k42_platform_alloc(sizeof(*cells) + count * sizeof(struct entry *));
    if (cells)
        cells->mask = count - 1;
    return cells;
}

void names_table_free(struct cells *cells) {
    k42_platform_free(cells);
}

static void use_table(struct names *names, struct cells *cells) {
    struct cells *old = names->cells;
    names->used = cells ? names->live : 0;
    __atomic_store_n(&names->cells, cells, __ATOMIC_RELEASE);
    if (old)
        k42_defer(&old->defer, free_cells);
}

/* Makes the table anew, for as many entries as there are, and as many again. */
static k42_result rehash(struct names *names) {
    struct cells *old = names->cells, *cells = names_table_make(names->live);
    if (!cells)
        return -ENOMEM;
    for (uint32_t at = 0; old && at <= old->mask; at++)
        if (is_entry(old->cell[at]))
            put(cells, old->cell[at]);
    use_table(names, cells);
    return 0;
}

k42_result names_hash(struct names *names, struct cells *cells) {
    if (2 * names->live > cells->mask + 1)
        return -ENOSPC;
    for (uint32_t slot = 0; slot < names->top; slot++)
        if (is_entry(names->slots->slot[slot]))
            put(cells, names->slots->slot[slot]);
    use_table(names, cells);
    __atomic_store_n(&names->listed, false, __ATOMIC_RELAXED);
    return 0;
}

void names_list(struct names *names) {
    __atomic_store_n(&names->listed, true, __ATOMIC_RELAXED);
    use_table(names, NULL);
}

static k42_result add_slots(struct names *names) {
    struct slots *old = names->slots;
    uint32_t capacity = old ? old->capacity * 2 : FIRST_CELLS / 2;
    struct slots *slots = k42_platform_alloc(sizeof(*slots) + capacity * sizeof(struct entry *));
    if (!slots)
        return -ENOMEM;
    slots->capacity = capacity;
    if (old)
        memcpy(slots->slot, old->slot, old->capacity * sizeof(struct entry *));
    __atomic_store_n(&names->slots, slots, __ATOMIC_RELEASE);
    if (old)
        k42_defer(&old->defer, free_slots);
    return 0;
}

k42_result names_reserve(struct names *names) {
    if (names->live == MOST_ENTRIES)
        return -ENOSPC;
    if (!names->listed && (!names->cells || 2 * (names->used + 1) > names->cells->mask + 1)) {
        k42_result result = rehash(names);
        if (result < 0)
            return result;
    }
    if (!names->free_slot && (!names->slots || names->top == names->slots->capacity))
        return add_slots(names);
    return 0;
}

void names_add(struct names *names, struct entry *entry) {
    uint32_t slot = names->top;
    if (names->free_slot) {
        slot = names->free_slot - 1;
        names->free_slot = (uint32_t)((uintptr_t)names->slots->slot[slot] >> 1);
    } else {
        __atomic_store_n(&names->top, slot + 1, __ATOMIC_RELAXED);
    }
    entry->slot = slot;
    __atomic_store_n(&names->live, names->live + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&names->slots->slot[slot], entry, __ATOMIC_RELEASE);
    if (!names->listed)
        names->used += put(names->cells, entry);
}

static void take_from_table(const struct names *names, const struct entry *entry) {
    uint32_t at = entry->hash & names->cells->mask;
    while (names->cells->cell[at] != entry)
        at = (at + 1) & names->cells->mask;
    __atomic_store_n(&names->cells->cell[at], GONE, __ATOMIC_RELAXED);
}

void names_remove(struct names *names, struct entry *entry) {
    if (!names->listed)
        take_from_table(names, entry);
    struct entry *next = (struct entry *)((uintptr_t)names->free_slot << 1 | 1);
    __atomic_store_n(&names->slots->slot[entry->slot], next, __ATOMIC_RELAXED);
    names->free_slot = entry->slot + 1;
    __atomic_store_n(&names->live, names->live - 1, __ATOMIC_RELAXED);
    k42_defer(&entry->defer, free_entry);
}

struct entry *names_next(const struct names *names, uint32_t *slot) {
    const struct slots *slots = __atomic_load_n(&names->slots, __ATOMIC_ACQUIRE);
    uint32_t top = __atomic_load_n(&names->top, __ATOMIC_RELAXED);
    if (!slots)
        return NULL;
    top = top < slots->capacity ? top : slots->capacity;
    for (uint32_t at = *slot; at < top; at++) {
        struct entry *entry = __atomic_load_n(&slots->slot[at], __ATOMIC_ACQUIRE);
        if (is_entry(entry)) {
            *slot = at;
            return entry;
        }
    }
    return NULL;
}

void names_end(struct names *names) {
    k42_platform_free(names->cells);
    k42_platform_free(names->slots);
}
