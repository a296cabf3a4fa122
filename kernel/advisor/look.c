/*
 * One look at a page cache: what has been counted since the last one that said something, so that
 * what happens slowly adds up. Active; no state of its own.
 *
 * Counts stay with a cache through swaps by pointer and begin anew with one that was made from
 * pages: then this look tells nothing.
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

bool look_at(struct advice_case *one, struct look *look) {
    fcm_ref fcm = (fcm_ref)k42_id_ref(one->id);
    *look = (struct look){.is_watched = one->watch != NULL};
    if (k42_inspect((k42_ref)fcm, &look->info) < 0 ||
        !k42_text_equal(look->info.interface_name, fcm_interface.name) ||
        k42_call(fcm, counts, &look->now) < 0)
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
        watch_read(one->watch, &look->watched);
    one->reads = one->watch ? one->reads + look->watched.reads : 0;
    look->reads = one->reads;
    return true;
}
