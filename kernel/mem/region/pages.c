/*
 * Pages of an FCM for a fault: getting one, mapping it, and with it those of its neighbours that
 * are there.
 *
 * The order is the FCM's: held, mapped, said so. A page that could not be mapped is put back.
 */
#include "body.h"

#define AROUND_PAGES 16u

k42_result region_get_page(const struct region_view *view, unsigned flags, struct fcm_page *page,
                           uint64_t *physical) {
    k42_result result = k42_call(view->fcm, get_page, view->index, flags, page);
    if (result >= 0)
        *physical = page->physical + (view->index - page->index) * PAGE_BYTES;
    return result == -K42_STALE ? -ENXIO : result;
}

k42_result region_map_page(const struct region_view *view, uint64_t physical, unsigned protection) {
    k42_result result = k42_call(view->hat, map, view->page, physical, protection, &view->lease);
    k42_result told = result < 0 ? k42_call(view->fcm, put_page, view->index)
                                 : k42_call(view->fcm, mapped, view->index, 1);
    return result < 0 ? result : told;
}

/* The window is a block of AROUND_PAGES addresses, cut to the region. */
void region_map_around(const struct region_view *view, unsigned protection) {
    uintptr_t bytes = AROUND_PAGES * PAGE_BYTES;
    uintptr_t from = view->page & ~(bytes - 1), to = from + bytes;
    from = from < view->start ? view->start : from;
    to = to > view->end ? view->end : to;
    unsigned count = (unsigned)((to - from) / PAGE_BYTES);
    uint64_t first = view->index - (view->page - from) / PAGE_BYTES;
    struct hat_around around = {.protection = protection};
    k42_result mask = k42_call(view->fcm, get_present, first,
                               count * (unsigned)sizeof around.physical[0], around.physical);
    if (mask <= 0)
        return;
    around.mask = (uint32_t)mask;
    k42_result result = k42_call(view->hat, map_around, from, &around, &view->lease);
    result = k42_call(view->fcm, mapped, first, (uint32_t)mask);
    (void)result; /* what was not mapped is let go of all the same */
}
