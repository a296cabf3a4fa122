/*
 * Pages of an FCM for a fault: getting one, mapping it, and with it those of its neighbours that
 * are there, or the whole block it lies in.
 *
 * The order is the FCM's: held, mapped, said so. A page that could not be mapped is put back.
 *
 * A block is mapped by one entry when the FCM has it in one piece, and its addresses begin at a
 * multiple of 2 MiB as the block does in the file. It is mapped for reading only: who writes asks
 * for single pages, so the FCM knows of each whether it is dirty. What is mapped of those 2 MiB
 * already stays as it is, and the page is mapped by itself.
 */
#include "body.h"

#define AROUND_PAGES 16u
#define LARGE_PAGES  (LARGE_BYTES / PAGE_BYTES)

bool region_has_block(const struct region_view *view) {
    uintptr_t block = view->page & ~(LARGE_BYTES - 1);
    return block >= view->start && block + LARGE_BYTES <= view->end &&
           !(view->flags & (SPACE_NO_LARGE | SPACE_GROWS_DOWN | SPACE_WATCHED));
}

/* One that the object has is not lacking, wherever else it was touched first. */
k42_result region_get_page(const struct region_view *view, unsigned flags, struct fcm_page *page) {
    unsigned cached = view->flags & SPACE_WATCHED ? FCM_CACHED : 0;
    k42_result result = k42_call(view->fcm, get_page, view->index, flags | cached, page);
    if (result == -ENOENT && cached) {
        result = region_missing(view);
        if (result >= 0)
            result = k42_call(view->fcm, get_page, view->index, flags, page);
    }
    return result == -K42_STALE ? -ENXIO : result;
}

k42_result region_get_to_read(const struct region_view *view, struct fcm_page *page) {
    bool lies_so = (view->page / PAGE_BYTES - view->index) % LARGE_PAGES == 0;
    return region_get_page(view, lies_so && region_has_block(view) ? FCM_LARGE : 0, page);
}

static unsigned kind_of(const struct region_view *view) {
    return view->flags & SPACE_OF_MEMORY ? HAT_OF_MEMORY : 0;
}

/* A block where nothing is, or else the page alone. 1: it was the block. */
static k42_result map(const struct region_view *view, const struct fcm_page *page,
                      unsigned protection) {
    uintptr_t place = view->page - (view->index - page->index) * PAGE_BYTES;
    uint64_t physical = page->physical + (view->page - place);
    if (page->order) {
        k42_result result =
            k42_call(view->hat, map, place, page->physical, protection | HAT_LARGE, &view->lease);
        if (result != -EEXIST)
            return result < 0 ? result : 1;
    }
    return k42_call(view->hat, map, view->page, physical, protection, &view->lease);
}

k42_result region_map_page(const struct region_view *view, const struct fcm_page *page,
                           unsigned protection) {
    k42_result result = map(view, page, protection | kind_of(view));
    k42_result told = result < 0 ? k42_call(view->fcm, put_page, page->index)
                                 : k42_call(view->fcm, mapped, page->index, 1);
    return result < 0 || told >= 0 ? result : told;
}

/* The window is a block of AROUND_PAGES addresses, cut to the region. */
static void map_around(const struct region_view *view, unsigned protection) {
    uintptr_t bytes = AROUND_PAGES * PAGE_BYTES;
    uintptr_t from = view->page & ~(bytes - 1), to = from + bytes;
    from = from < view->start ? view->start : from;
    to = to > view->end ? view->end : to;
    unsigned count = (unsigned)((to - from) / PAGE_BYTES);
    uint64_t first = view->index - (view->page - from) / PAGE_BYTES;
    struct hat_around around = {.protection = protection | kind_of(view)};
    k42_result mask = k42_call(view->fcm, get_present, first,
                               count * (unsigned)sizeof around.physical[0], around.physical);
    if (mask <= 0)
        return;
    around.mask = (uint32_t)mask;
    k42_result result = k42_call(view->hat, map_around, from, &around, &view->lease);
    result = k42_call(view->fcm, mapped, first, (uint32_t)mask);
    (void)result; /* what was not mapped is let go of all the same */
}

k42_result region_map_to_read(const struct region_view *view, const struct fcm_page *page) {
    unsigned protection = view->protection & ~(unsigned)SPACE_WRITE;
    k42_result result = region_map_page(view, page, protection);
    if (result == 0 && !(view->flags & SPACE_WATCHED)) /* a neighbour may be brought yet */
        map_around(view, protection);
    return result < 0 ? result : 0;
}
