/*
 * Pages of a file of ramfs, one by one: made, filled from the source, counted, cleared.
 *
 * Room. Pages are counted in the file system, and by `room` in the file. A file that nobody can
 * reach any more gives its room back at once, its memory a grace period later: pages_abandon() sets
 * a bit of that count and takes what it was. A page that is counted before the bit is set is in
 * what was taken; one that comes later, by a call that was under way, finds the bit and is refused;
 * one that goes later was counted back already. So each is counted back once, without a lock, by
 * whoever drops the last life, under whatever locks.
 *
 * Room is kept for what is not written yet (fallocate) by making its pages, which are a hole to who
 * looks for data until somebody writes to them or maps them. A call that does not get all of them
 * takes back those that are still as it made them.
 *
 * Locking: the caller has pages->lock, but for pages_abandon(), pages_keep_room(), pages_free(),
 * and making and dropping a page that is new. Fails:   -ENOMEM; -ENOSPC, the file system has as
 * many pages as it may.
 */
#include "../../mem/heap/heap.h"
#include "pages_inside.h"
#include "runtime.h"

#define ABANDONED (1ul << 63)

static void free_page(struct page *page) {
    heap_free(page->bytes);
    k42_platform_free(page);
}

static void free_later(struct k42_defer *defer) {
    free_page(k42_container(defer, struct page, defer));
}

/* One page more of the file system's; false: it may not have more. */
static bool charge(struct pages *pages) {
    struct ramfs *fs = pages->fs;
    uint64_t all = __atomic_add_fetch(&fs->pages, 1, __ATOMIC_RELAXED);
    if ((!fs->most_pages || all <= fs->most_pages) &&
        !(__atomic_fetch_add(&pages->room, 1, __ATOMIC_RELAXED) & ABANDONED))
        return true;
    __atomic_sub_fetch(&fs->pages, 1, __ATOMIC_RELAXED);
    return false;
}

static void discharge(struct pages *pages) {
    if (!(__atomic_fetch_sub(&pages->room, 1, __ATOMIC_RELAXED) & ABANDONED))
        __atomic_sub_fetch(&pages->fs->pages, 1, __ATOMIC_RELAXED);
}

void pages_abandon(struct ramfs *fs, uint64_t *room) {
    uint64_t pages = __atomic_fetch_or(room, ABANDONED, __ATOMIC_RELAXED);
    if (!(pages & ABANDONED))
        __atomic_sub_fetch(&fs->pages, pages, __ATOMIC_RELAXED);
}

static struct page *make_page(void) {
    struct page *page = k42_platform_alloc(sizeof(*page));
    if (!page)
        return NULL;
    page->bytes = heap_allocate(PAGE);
    if (!page->bytes) {
        k42_platform_free(page);
        return NULL;
    }
    return page;
}

/* Fills a new page with what the source has there. */
static void fill(const struct pages *pages, struct page *page, uint64_t index) {
    uint64_t at = index * PAGE, bytes = 0;
    if (at < pages->source.size)
        bytes = pages->source.size - at < PAGE ? pages->source.size - at : PAGE;
    if (bytes)
        memcpy(page->bytes, pages->source.bytes + at, bytes);
    memset(page->bytes + bytes, 0, PAGE - bytes);
}

k42_result pages_get(struct pages *pages, uint64_t index, struct page **found) {
    *found = page_table_find(&pages->table, index);
    if (*found) {
        (*found)->kept_for = 0;
        return 0;
    }
    if (!charge(pages))
        return -ENOSPC;
    struct page *page = make_page();
    if (page)
        fill(pages, page, index);
    if (page && page_table_add(&pages->table, index, page)) {
        *found = page;
        return 0;
    }
    if (page)
        free_page(page);
    discharge(pages);
    return -ENOMEM;
}

k42_result pages_begin_new(struct pages *pages, struct page **made) {
    if (!charge(pages))
        return -ENOSPC;
    *made = make_page();
    if (*made)
        return 0;
    discharge(pages);
    return -ENOMEM;
}

void pages_drop_new(struct pages *pages, struct page *page) {
    free_page(page);
    discharge(pages);
}

struct page *pages_enter_new(struct pages *pages, uint64_t index, struct page *page) {
    struct page *there = page_table_find(&pages->table, index);
    if (there)
        there->kept_for = 0;
    else if (page_table_add(&pages->table, index, page))
        return page;
    return there;
}

/* With the lock: the page is to be zero, and if nobody has it, not there. */
static void clear(struct pages *pages, uint64_t index, struct page *page) {
    if (page->given_out) {
        memset(page->bytes, 0, PAGE);
        return;
    }
    page_table_remove(&pages->table, index);
    discharge(pages);
    k42_defer(&page->defer, free_later);
}

/* What the source has there is data, and becomes the page's. */
static k42_result keep_one(struct pages *pages, uint64_t index, uint32_t keeper) {
    struct page *page;
    if (page_table_find(&pages->table, index))
        return 0;
    k42_result result = pages_get(pages, index, &page);
    if (result == 0 && index * PAGE >= pages->source.size)
        page->kept_for = keeper;
    return result;
}

static void take_back(struct pages *pages, uint64_t first, uint64_t end, uint32_t keeper) {
    k42_lock(&pages->lock);
    uint64_t at = first;
    for (struct page *page; at < end && (page = page_table_next(&pages->table, &at)) && at < end;
         at++)
        if (page->kept_for == keeper)
            clear(pages, at, page);
    k42_unlock(&pages->lock);
}

k42_result pages_keep_room(struct pages *pages, uint64_t first, uint64_t end) {
    uint32_t keeper = __atomic_add_fetch(&pages->keepers, 1, __ATOMIC_RELAXED) | 1u << 31;
    k42_result result = 0;
    uint64_t at = first;
    for (; result == 0 && at < end; at++) {
        k42_lock(&pages->lock);
        result = keep_one(pages, at, keeper);
        k42_unlock(&pages->lock);
    }
    if (result < 0)
        take_back(pages, first, at, keeper);
    return result;
}

void pages_clear(struct pages *pages, uint64_t first, uint64_t end) {
    uint64_t at = first;
    for (struct page *page; at < end && (page = page_table_next(&pages->table, &at)) && at < end;
         at++)
        clear(pages, at, page);
}

void pages_free(struct pages *pages) {
    uint64_t at = 0;
    for (uint64_t left = pages->table.count; left; left--, at++)
        free_page(page_table_next(&pages->table, &at));
    pages_abandon(pages->fs, &pages->room);
    page_table_end(&pages->table);
}
