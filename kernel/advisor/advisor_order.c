/*
 * Order: a file that is read once from one end to the other, and that would drive others out of
 * memory, passes through a few pages.
 *
 * The cache counts pages that were wanted and absent, and how often somebody went on where one had
 * stopped. Three quarters of the former in order, in a file that would take much of the free
 * memory, call for it; half of them out of order, or the file being read again, call for the way
 * back. Files that fit stay as they are: somebody may read them again.
 */
#include "inside.h"

#include "../mem/frame/frame.h"

enum { MISSES = 4, LARGE_PART = 4 };

static bool applies(const struct look *look) {
    return k42_text_equal(look->info.class_name, "fcm.shared");
}

static bool drives_others_out(uint64_t pages) {
    struct frame_statistics now;
    frames_count(&now);
    return pages > (now.free + now.idle) / LARGE_PART;
}

static int call_for(const struct look *look) {
    uint64_t misses = look->since.misses, in_order = look->since.in_order;
    if (misses < MISSES)
        return 0;
    if (in_order * 4 < misses)
        return -1;
    if (in_order * 4 < misses * 3 || look->begun > look->pages * 5 / 4)
        return 0;
    return drives_others_out(look->pages);
}

/* A streaming cache counts each call that goes on, and few misses. */
static int still(const struct look *look) {
    uint64_t misses = look->since.misses, in_order = look->since.in_order;
    if (look->begun > look->pages * 5 / 4 || (misses >= MISSES && in_order * 2 < misses))
        return -1;
    return in_order != 0;
}

/* What says nothing yet is not taken note of, and adds up. */
static void judge(const struct look *look, bool changed, struct advice_look *said) {
    said->signal = changed ? still(look) : call_for(look);
    if (!said->signal)
        return;
    said->cost = look->since.waits;
    said->work = look->since.misses + look->since.ahead;
}

static void reason(const struct look *look, char *text, size_t size) {
    k42_format_text(text, size, "%lu of %lu pages came, %lu missed, %lu times in order",
                    look->begun, look->pages, look->since.misses, look->since.in_order);
}

struct advisor advisor_order = {
    .name = "order",
    .about = "large files that are read once in order pass through a few pages",
    .unit = "waits a page",
    .traits = "behind=file access=stream",
    .plain = "behind=file sharing=low",
    .interface_ = &fcm_interface,
    .rules = {.votes = 3, .probation = 5, .against = 3},
    .applies = applies,
    .judge = judge,
    .reason = reason,
};
