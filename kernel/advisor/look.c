/*
 * One look at a page cache or a PM: what has been counted since the last one that said something,
 * so that what happens slowly adds up. Active; no state of its own.
 *
 * Counts stay with a cache through swaps by pointer and begin anew with one that was made from
 * pages: then this look tells nothing. A PM's stay.
 */
#include "inside.h"

#include "../mem/frame/frame.h"

static uint64_t since(uint64_t now, uint64_t last) {
    return now >= last ? now - last : 0;
}

static void subtract(const struct fcm_counts *now, const struct fcm_counts *last,
                     struct fcm_counts *to) {
    const uint64_t *a = (const uint64_t *)now, *b = (const uint64_t *)last;
    uint64_t *difference = (uint64_t *)to;
    for (size_t i = 0; i < sizeof *now / sizeof *a; i++)
        difference[i] = since(a[i], b[i]);
}

static bool look_at_cache(struct advice_case *one, struct look *look) {
    fcm_ref fcm = (fcm_ref)k42_id_ref(one->id);
    if (k42_call(fcm, counts, &look->now) < 0)
        return false;
    k42_result size = k42_call(fcm, size);
    look->pages = size > 0 ? ((uint64_t)size + FRAME_BYTES - 1) / FRAME_BYTES : 0;
    if (!one->seen) {
        one->last = look->now;
        one->begun = look->now.misses + look->now.ahead;
        one->seen = true;
    }
    subtract(&look->now, &one->last, &look->since);
    look->begun = since(look->now.misses + look->now.ahead, one->begun);
    if (one->watch)
        watch_read(one->watch, &look->watched, &look->in_all);
    return true;
}

static bool look_at_pm(struct advice_case *one, struct look *look) {
    pm_ref pm = (pm_ref)k42_id_ref(one->id);
    struct pm_usage usage;
    struct pm_pages pages;
    if (k42_call(pm, usage, &usage) < 0 || k42_call(pm, pages, &pages) < 0)
        return false;
    look->pm_now = (struct pm_look){
        .given_back = usage.given_back, .came = pages.came, .went_back = pages.went_back};
    if (!one->seen) {
        one->pm_last = look->pm_now;
        one->seen = true;
    }
    look->pm_since =
        (struct pm_look){.given_back = since(look->pm_now.given_back, one->pm_last.given_back),
                         .came = since(look->pm_now.came, one->pm_last.came),
                         .went_back = since(look->pm_now.went_back, one->pm_last.went_back)};
    look->frames = pages.present ? pages.present : usage.used;
    if (one->pages_watch)
        pages_watch_read(one->pages_watch, &look->coming);
    return true;
}

bool look_at(struct advice_case *one, struct look *look) {
    k42_ref object = k42_id_ref(one->id);
    *look = (struct look){.is_watched = one->watch || one->pages_watch};
    if (k42_inspect(object, &look->info) < 0)
        return false;
    look->is_pm = k42_text_equal(look->info.interface_name, pm_interface.name);
    if (look->is_pm)
        return look_at_pm(one, look);
    return k42_text_equal(look->info.interface_name, fcm_interface.name) &&
           look_at_cache(one, look);
}

void look_said_something(struct advice_case *one, const struct look *look) {
    one->last = look->now;
    one->pm_last = look->pm_now;
    if (one->watch)
        watch_go_on(one->watch);
    if (one->pages_watch)
        pages_watch_go_on(one->pages_watch);
}
