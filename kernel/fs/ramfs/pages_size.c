/*
 * The size of a file of ramfs, and its holes.
 *
 * What is cut off or punched goes at once, but for pages that were given out to be mapped: those
 * become zero, and are taken out of programs where they are cut off. A hole in what the source has
 * brings the file's other pages out of it.
 *
 * Locking: pages->lock. Fails: -EFBIG; -EPERM, it is sealed; of a hole in the source also -ENOMEM,
 * -ENOSPC.
 */
#include "../../mem/hat/hat.h"
#include "pages_inside.h"

k42_result pages_size(struct fcm *self) {
    return (k42_result)__atomic_load_n(&PAGES(self)->size, __ATOMIC_RELAXED);
}

/* With the lock: bytes of one page become zero, if it is there. */
static void zero_part(struct pages *pages, uint64_t from, uint64_t to) {
    struct page *page = from < to ? page_table_find(&pages->table, from / PAGE) : NULL;
    if (page)
        memset(page->bytes + from % PAGE, 0, to - from);
}

static k42_result release_behind(const struct fcm_attachment *in, uint64_t end) {
    uint64_t from = end > in->first ? end : in->first;
    uintptr_t address = in->address + (from - in->first) * PAGE;
    size_t length = (in->first + in->pages - from) * PAGE;
    k42_result result = k42_call((hat_ref)in->hat, release, address, length);
    return result < 0 && result != -K42_STALE ? result : 0;
}

/* In the order in which they came, since a fork attaches the child first and shares then. */
k42_result pages_cut(struct pages *pages) {
    struct attachments_found found;
    uint64_t after = 0, end = pages_end(pages);
    k42_result result = 0;
    do {
        k42_lock(&pages->lock);
        attachments_next(&pages->attachments, after, end, ~0ul, &found);
        k42_unlock(&pages->lock);
        for (unsigned i = 0; i < found.count && result == 0; i++) {
            result = release_behind(&found.what[i], end);
            after = found.numbers[i];
        }
    } while (found.count && result == 0);
    return result;
}

/* Called again after it has waited it finds the size as it should be, and cuts what is left. */
k42_result pages_resize(struct fcm *self, uint64_t size) {
    struct pages *pages = PAGES(self);
    if (size > MOST_SIZE)
        return -EFBIG;
    k42_lock(&pages->lock);
    unsigned breaks = size < pages->size ? FCM_SEAL_SHRINK : size > pages->size ? FCM_SEAL_GROW : 0;
    if (pages->seals & breaks) {
        k42_unlock(&pages->lock);
        return -EPERM;
    }
    if (size < pages->size) {
        zero_part(pages, size, round_up(size));
        pages_clear(pages, round_up(size) / PAGE, ~0ul);
        if (pages->source.size > size)
            pages->source.size = size;
    }
    bool grows = size > pages->size;
    __atomic_store_n(&pages->size, size, __ATOMIC_RELAXED);
    bool is_mapped = pages->attachments.count != 0;
    k42_unlock(&pages->lock);
    return grows || !is_mapped ? 0 : pages_cut(pages);
}

/* With the lock: what a hole's pages are from now on is in pages of their own, no more in the
 * source. -ENOMEM, -ENOSPC. */
static k42_result leave_source(struct pages *pages) {
    struct page *page;
    k42_result result = 0;
    for (uint64_t at = 0; at < pages->source.size && result == 0; at += PAGE)
        result = pages_get(pages, at / PAGE, &page);
    if (result == 0)
        pages->source.size = 0;
    return result;
}

k42_result pages_punch(struct fcm *self, uint64_t offset, uint64_t length) {
    struct pages *pages = PAGES(self);
    uint64_t end = offset + length, first = round_up(offset), last = end & ~(uint64_t)(PAGE - 1);
    k42_lock(&pages->lock);
    k42_result result = pages->seals & FCM_SEALED_WRITING ? -EPERM
                        : offset >= pages->source.size    ? 0
                                                          : leave_source(pages);
    if (result == 0 && first > last) {
        zero_part(pages, offset, end);
    } else if (result == 0) {
        zero_part(pages, offset, first);
        pages_clear(pages, first / PAGE, last / PAGE);
        zero_part(pages, last, end);
    }
    k42_unlock(&pages->lock);
    return result;
}

/* With the lock. */
static bool has_data(const struct pages *pages, uint64_t index) {
    const struct page *page = page_table_find(&pages->table, index);
    return page && !page->kept_for;
}

/* With the lock: the first page with data, at or after `at`. */
static uint64_t next_data(const struct pages *pages, uint64_t at) {
    struct page *page;
    while ((page = page_table_next(&pages->table, &at)) && page->kept_for)
        at++;
    return page ? at : ~0ul / PAGE;
}

k42_result pages_seek(struct fcm *self, uint64_t offset, enum fcm_seek what) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    uint64_t size = pages->size, source_end = round_up(pages->source.size);
    uint64_t at = offset / PAGE;
    if (offset < size && what == FCM_SEEK_DATA && offset >= source_end)
        at = next_data(pages, at);
    if (offset < size && what == FCM_SEEK_HOLE) {
        if (at * PAGE < source_end)
            at = source_end / PAGE;
        while (at * PAGE < size && has_data(pages, at))
            at++;
    }
    k42_unlock(&pages->lock);
    uint64_t found = at * PAGE > offset ? at * PAGE : offset;
    if (offset >= size || (what == FCM_SEEK_DATA && found >= size))
        return -ENXIO;
    return (k42_result)(found < size ? found : size);
}
