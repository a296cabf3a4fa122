/*
 * Swap areas and their slots.
 *
 * Each slot has a count of entries, and is in one of three states:
 *
 *   free      its bit in `free` is set, the count is 0
 *   used      the count is not 0
 *   left      the count has become 0, its bit in `left` is set: the cache may still have its page
 *
 * Only relief's thread makes slots used, and left ones free (when the cache has forgotten the page,
 * so that a slot that is taken again finds no page of its former owner). Everybody may hold a slot
 * of which he has a hold, and drop it; who drops the last one sets the bit of `left`, after which
 * nobody can hold it again. So `free` has one writer, and counts and `left` are atomic.
 *
 * Bits are found by a word of bits of words, so a look costs a load for 4,096 slots.
 *
 * Lives: an area is seen by relief's thread between k42_enter and k42_exit; who closes one waits
 * for a grace period, and who removes one waits for another before its memory goes. Holders of
 * slots keep it there by swap_used().
 *
 * Owns: struct area, its tables. Locking: `changes`, a flag, for adding, closing and removing.
 */
#include "swap.h"

#include "../fcm/fcm.h"
#include "../heap/heap.h"
#include "../machine.h"

#include "runtime.h"

#include <k42/k42.h>

#include <errno.h>

enum { WORD = 64, SPARES = 16 };

/* A set of slots; `summary` has a bit for each word that may not be zero. */
struct bits {
    uint64_t *words, *summary;
};

struct area {
    struct swap_new its;
    char path[SWAP_PATH_MAX];
    uint64_t usable; /* pages without the header and bad ones */
    uint64_t used;   /* slots that are not free; written by relief's thread */
    uint32_t closed;
    bool begun;
    uint32_t *counts;
    struct bits free, left;
    uint64_t hand; /* the word of the summary in which a slot was found last */
};

static struct area *areas[SWAP_AREAS];
static uint32_t area_count;

static struct area *area_at(unsigned number) {
    return __atomic_load_n(&areas[number], __ATOMIC_ACQUIRE);
}

static uint64_t words_of(uint64_t bits) {
    return (bits + WORD - 1) / WORD;
}

/* ---- bits ---- */

static bool bits_make(struct bits *bits, uint64_t count) {
    bits->words = heap_allocate_zeroed(words_of(count) * 8);
    bits->summary = heap_allocate_zeroed(words_of(words_of(count)) * 8);
    return bits->words && bits->summary;
}

static void bits_free(struct bits *bits) {
    heap_free(bits->words);
    heap_free(bits->summary);
}

/* The word first: whoever takes the summary's bit afterwards finds it. */
static void bits_set(struct bits *bits, uint64_t at) {
    uint64_t word = at / WORD;
    if (!__atomic_fetch_or(&bits->words[word], 1ul << at % WORD, __ATOMIC_SEQ_CST))
        __atomic_fetch_or(&bits->summary[word / WORD], 1ul << word % WORD, __ATOMIC_SEQ_CST);
}

/* ---- free slots: relief's thread alone ---- */

/* The lowest free slot of a word of the summary; 0: none. */
static uint64_t find_free(struct area *area, uint64_t at) {
    uint64_t summary = area->free.summary[at];
    if (!summary)
        return 0;
    uint64_t word = at * WORD + (unsigned)__builtin_ctzl(summary);
    return word * WORD + (unsigned)__builtin_ctzl(area->free.words[word]);
}

static uint64_t take_free(struct area *area) {
    uint64_t count = words_of(words_of(area->its.pages)), slot = 0;
    for (uint64_t looked = 0; looked < count && !slot; looked++) {
        slot = find_free(area, area->hand);
        if (!slot)
            area->hand = (area->hand + 1) % count;
    }
    if (!slot)
        return 0;
    uint64_t word = slot / WORD;
    area->free.words[word] &= ~(1ul << slot % WORD);
    if (!area->free.words[word])
        area->free.summary[word / WORD] &= ~(1ul << word % WORD);
    return slot;
}

static void make_free(struct area *area, uint64_t page) {
    bits_set(&area->free, page);
    __atomic_store_n(&area->used, area->used - 1, __ATOMIC_RELEASE);
}

/* ---- pages that nobody has any more ---- */

/* Whether the cache has forgotten the page. */
static bool forget(const struct area *area, uint64_t page) {
    k42_result result = k42_call((fcm_ref)area->its.fcm, leave, page,
                                 FCM_LEAVE_USED | FCM_LEAVE_UNUSED | FCM_LEAVE_DIRTY);
    return result == FCM_HAS_LEFT || result == -ENOENT;
}

/* Pages that are on their way are looked at again the next time. */
static uint64_t collect_word(struct area *area, uint64_t word) {
    uint64_t collected = 0;
    for (uint64_t left = __atomic_exchange_n(&area->left.words[word], 0, __ATOMIC_SEQ_CST); left;
         left &= left - 1) {
        uint64_t page = word * WORD + (unsigned)__builtin_ctzl(left);
        if (forget(area, page)) {
            make_free(area, page);
            collected++;
        } else {
            bits_set(&area->left, page);
        }
    }
    return collected;
}

static uint64_t collect(struct area *area) {
    uint64_t count = words_of(words_of(area->its.pages)), collected = 0;
    for (uint64_t at = 0; at < count; at++) {
        if (!__atomic_load_n(&area->left.summary[at], __ATOMIC_RELAXED))
            continue;
        for (uint64_t words = __atomic_exchange_n(&area->left.summary[at], 0, __ATOMIC_SEQ_CST);
             words; words &= words - 1)
            collected += collect_word(area, at * WORD + (unsigned)__builtin_ctzl(words));
    }
    return collected;
}

/* ---- slots ---- */

void swap_hold(swap_slot slot) {
    __atomic_add_fetch(&area_at(swap_area_of(slot))->counts[(uint32_t)slot], 1, __ATOMIC_RELAXED);
}

void swap_drop(swap_slot slot) {
    struct area *area = area_at(swap_area_of(slot));
    if (!__atomic_sub_fetch(&area->counts[(uint32_t)slot], 1, __ATOMIC_ACQ_REL))
        bits_set(&area->left, (uint32_t)slot);
}

/* The cache may have read a free slot ahead; a page that it cannot forget now is left to later. */
static k42_result expect_page(const struct area *area, uint64_t page) {
    k42_result result = k42_call((fcm_ref)area->its.fcm, expect, page);
    if (result == -EEXIST && forget(area, page))
        result = k42_call((fcm_ref)area->its.fcm, expect, page);
    return result;
}

static swap_slot take_from(unsigned number) {
    struct area *area = area_at(number);
    for (uint64_t page; (page = take_free(area));) {
        __atomic_store_n(&area->used, area->used + 1, __ATOMIC_RELEASE);
        k42_result result = expect_page(area, page);
        if (result >= 0) {
            __atomic_store_n(&area->counts[page], 1, __ATOMIC_RELEASE);
            return (uint64_t)number << 32 | page;
        }
        if (result != -EEXIST) {
            make_free(area, page);
            return 0;
        }
        bits_set(&area->left, page);
    }
    return 0;
}

/* Slots that were taken and not needed, for the next address space that is asked. */
static swap_slot spares[SPARES];
static unsigned spare_count;

/* The open area with room that is to be used first; SWAP_AREAS: none. */
static unsigned choose(void) {
    unsigned best = SWAP_AREAS;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        const struct area *area = area_at(n);
        if (area && !__atomic_load_n(&area->closed, __ATOMIC_ACQUIRE) &&
            area->used < area->usable &&
            (best == SWAP_AREAS || area->its.priority > area_at(best)->its.priority))
            best = n;
    }
    return best;
}

static void cancel(swap_slot slot) {
    struct area *area = area_at(swap_area_of(slot));
    k42_result result = k42_call((fcm_ref)area->its.fcm, adopt, (uint32_t)slot, 0);
    (void)result;
    area->counts[(uint32_t)slot] = 0;
    make_free(area, (uint32_t)slot);
}

swap_slot swap_take(void) {
    if (spare_count)
        return spares[--spare_count];
    unsigned number = choose();
    return number == SWAP_AREAS ? 0 : take_from(number);
}

void swap_spare(swap_slot slot) {
    if (spare_count < SPARES)
        spares[spare_count++] = slot;
    else
        cancel(slot);
}

void swap_cancel_spares(void) {
    while (spare_count)
        cancel(spares[--spare_count]);
}

/* It begins to be written at once; what the disk does not take now it gets when more is wanted. */
void swap_put(swap_slot slot, uint64_t physical) {
    fcm_ref fcm = (fcm_ref)area_at(swap_area_of(slot))->its.fcm;
    k42_result result = k42_call(fcm, adopt, (uint32_t)slot, physical);
    if (result >= 0)
        result = k42_call(fcm, leave, (uint32_t)slot, FCM_LEAVE_UNUSED | FCM_LEAVE_USED);
    (void)result;
}

k42_result swap_get(swap_slot slot, uint64_t physical) {
    fcm_ref fcm = (fcm_ref)area_at(swap_area_of(slot))->its.fcm;
    struct fcm_page page;
    k42_result result = k42_call(fcm, get_page, (uint32_t)slot, 0, &page);
    if (result < 0)
        return result == -K42_WAIT || result == -ENOMEM ? result : -EIO;
    machine_copy_page(machine_memory(physical),
                      machine_memory(page.physical + ((uint32_t)slot - page.index) * 4096));
    result = k42_call(fcm, put_page, (uint32_t)slot);
    return result < 0 ? -EIO : 0;
}

/* ---- relief's ---- */

bool swap_is_on(void) {
    return __atomic_load_n(&area_count, __ATOMIC_RELAXED) != 0;
}

uint64_t swap_give_back(uint64_t wanted) {
    uint64_t freed = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        struct area *area = area_at(n);
        if (!area)
            continue;
        freed += collect(area);
        k42_result result =
            freed < wanted ? k42_call((fcm_ref)area->its.fcm, give_back, wanted - freed) : 0;
        freed += result > 0 ? (uint64_t)result : 0;
    }
    return freed;
}

uint64_t swap_on_the_way(void) {
    uint64_t pages = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        struct area *area = area_at(n);
        struct fcm_usage usage;
        if (area && k42_call((fcm_ref)area->its.fcm, usage, &usage) >= 0)
            pages += usage.in_transit > usage.dirty ? usage.in_transit : usage.dirty;
    }
    return pages;
}

/* ---- areas ---- */

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
    if (!page || page >= area->its.pages || !(area->free.words[page / WORD] & 1ul << page % WORD))
        return -EINVAL;
    area->free.words[page / WORD] &= ~(1ul << page % WORD);
    if (!area->free.words[page / WORD])
        area->free.summary[page / WORD / WORD] &= ~(1ul << page / WORD % WORD);
    area->usable--;
    return 0;
}

void swap_begin(unsigned number) {
    __atomic_add_fetch(&area_count, 1, __ATOMIC_RELAXED);
    area_at(number)->begun = true;
    __atomic_store_n(&area_at(number)->closed, 0, __ATOMIC_RELEASE);
}

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

void swap_total(uint64_t *pages, uint64_t *free) {
    struct swap_usage usage;
    *pages = *free = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++)
        if (swap_usage(n, &usage)) {
            *pages += usage.pages;
            *free += usage.pages - usage.used;
        }
}
