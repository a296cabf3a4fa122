/*
 * Swap areas: which there are, and how much of them is used.
 *
 * Owns: struct area, its tables. Locking: `changes`, a flag, for adding, closing and removing; who
 * only looks is between k42_enter and k42_exit (area.h). Fails: -ENOMEM.
 */
#include "area.h"

#include "../heap/heap.h"

#include <k42/k42.h>

#include <errno.h>

static struct area *areas[SWAP_AREAS];
static uint32_t area_count;

struct area *area_at(unsigned number) {
    return __atomic_load_n(&areas[number], __ATOMIC_ACQUIRE);
}

bool swap_is_on(void) {
    return __atomic_load_n(&area_count, __ATOMIC_RELAXED) != 0;
}

/* ---- adding ---- */

static uint32_t changes;

/* Changes are rare: who comes second is told that the area is busy. */
static bool begin_change(void) {
    return !__atomic_exchange_n(&changes, 1, __ATOMIC_ACQUIRE);
}

static void end_change(void) {
    __atomic_store_n(&changes, 0, __ATOMIC_RELEASE);
}

static void area_free(struct area *area) {
    bits_free(&area->free);
    bits_free(&area->left);
    heap_free(area->counts);
    heap_free(area);
}

static struct area *area_make(const struct swap_new *new) {
    struct area *area = heap_allocate_zeroed(sizeof *area);
    if (!area)
        return NULL;
    area->its = *new;
    area->closed = 1;
    area->usable = new->pages - 1;
    k42_copy_text(area->path, sizeof area->path, new->path);
    area->its.path = area->path;
    area->counts = heap_allocate_zeroed(new->pages * sizeof *area->counts);
    bool made = bits_make(&area->free, new->pages);
    if (!bits_make(&area->left, new->pages) || !made || !area->counts) {
        area_free(area);
        return NULL;
    }
    for (uint64_t page = 1; page < new->pages; page++)
        bits_set(&area->free, page);
    return area;
}

k42_result swap_find(k42_ref fcm) {
    for (unsigned n = 0; n < SWAP_AREAS; n++)
        if (area_at(n) && area_at(n)->its.fcm == fcm)
            return n;
    return -EINVAL;
}

/* A cache that lets a page be claimed and dropped takes them. */
static k42_result try_cache(k42_ref fcm) {
    k42_result result = k42_call((fcm_ref)fcm, expect, 1);
    if (result == -EEXIST)
        return 0;
    return result < 0 ? -EINVAL : k42_call((fcm_ref)fcm, adopt, 1, 0);
}

static k42_result add(const struct swap_new *new) {
    unsigned number = 0;
    if (swap_find(new->fcm) >= 0)
        return -EBUSY;
    while (number < SWAP_AREAS && area_at(number))
        number++;
    if (number == SWAP_AREAS)
        return -EPERM;
    k42_result result = try_cache(new->fcm);
    struct area *area = result < 0 ? NULL : area_make(new);
    if (!area)
        return result < 0 ? result : -ENOMEM;
    __atomic_store_n(&areas[number], area, __ATOMIC_RELEASE);
    return number;
}

struct k42_pair swap_add(const struct swap_new *new) {
    if (!begin_change())
        return (struct k42_pair){-EBUSY, 0};
    k42_result result = add(new);
    end_change();
    return result < 0 ? (struct k42_pair){result, 0} : (struct k42_pair){0, (uintptr_t)result};
}

k42_result swap_leave_out(unsigned number, uint64_t page) {
    struct area *area = area_at(number);
    if (!page || page >= area->its.pages || !bits_has(&area->free, page))
        return -EINVAL;
    bits_clear(&area->free, page);
    area->usable--;
    return 0;
}

void swap_begin(unsigned number) {
    __atomic_add_fetch(&area_count, 1, __ATOMIC_RELAXED);
    area_at(number)->begun = true;
    __atomic_store_n(&area_at(number)->closed, 0, __ATOMIC_RELEASE);
}

/* ---- closing ---- */

k42_result swap_close(unsigned number) {
    return __atomic_exchange_n(&area_at(number)->closed, 1, __ATOMIC_ACQ_REL) ? -EBUSY : 0;
}

void swap_reopen(unsigned number) {
    __atomic_store_n(&area_at(number)->closed, 0, __ATOMIC_RELEASE);
}

uint64_t swap_used(unsigned number) {
    return __atomic_load_n(&area_at(number)->used, __ATOMIC_ACQUIRE);
}

k42_ref swap_remove(unsigned number) {
    struct area *area = area_at(number);
    k42_ref file = area->its.file;
    if (area->begun)
        __atomic_sub_fetch(&area_count, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&areas[number], NULL, __ATOMIC_RELEASE);
    (void)!k42_synchronize();
    area_free(area);
    return file;
}

/* ---- how much ---- */

bool swap_is_open(swap_slot slot) {
    return area_is_open(area_of(slot));
}

bool swap_is_roomy(void) {
    uint64_t used = 0, usable = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        const struct area *area = area_at(n);
        if (!area || !area_is_open(area))
            continue;
        used += __atomic_load_n(&area->used, __ATOMIC_RELAXED);
        usable += area->usable;
    }
    return used < usable / 2;
}

bool swap_keeps(swap_slot slot) {
    return swap_is_open(slot) && swap_is_roomy();
}

bool swap_usage(unsigned number, struct swap_usage *usage) {
    const struct area *area = number < SWAP_AREAS ? area_at(number) : NULL;
    if (!area)
        return false;
    *usage = (struct swap_usage){.disk = area->its.disk,
                                 .priority = area->its.priority,
                                 .pages = area->usable,
                                 .used = __atomic_load_n(&area->used, __ATOMIC_RELAXED)};
    k42_copy_text(usage->path, sizeof usage->path, area->path);
    return true;
}

void swap_total(struct swap_totals *totals) {
    *totals = (struct swap_totals){0};
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        const struct area *area = area_at(n);
        if (!area)
            continue;
        totals->pages += area->usable;
        totals->free += area->usable - __atomic_load_n(&area->used, __ATOMIC_RELAXED);
    }
    totals->put = __atomic_load_n(&swap_pages_put, __ATOMIC_RELAXED);
    totals->got = __atomic_load_n(&swap_pages_got, __ATOMIC_RELAXED);
}
