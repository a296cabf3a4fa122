/*
 * Loops: a file that is read in order again and again, and of which memory does not hold all, gets
 * a policy under which what it holds serves each round.
 *
 * Replacement is a PM's matter (../mem/pm/pm.h), so the cache is not swapped: it gets a PM of its
 * own, of the class that says it is for loops, with as many frames as the cache has and three
 * quarters of those that are free. In doubt reads are watched, and on probation fewer pages must
 * have come for each page read.
 */
#include "inside.h"

#include "../mem/frame/frame.h"
#include "../mem/pm/pm.h"

enum { MISSES = 4, LEAST_FRAMES = 64 };

static bool applies(const struct look *look) {
    return k42_text_equal(look->info.class_name, "fcm.shared");
}

static uint64_t free_frames(void) {
    struct frame_statistics now;
    frames_count(&now);
    return now.free + now.idle;
}

static void judge(const struct look *look, bool changed, struct advice_look *said) {
    uint64_t misses = look->since.misses, in_order = look->since.in_order;
    said->cost = misses + look->since.ahead;
    said->work = look->watched.bytes / FRAME_BYTES;
    if (misses < MISSES)
        said->signal = changed && look->watched.reads;
    else if (in_order * 4 < misses)
        said->signal = -1;
    else if (changed || look->is_watched)
        said->signal = 1;
    else
        said->signal = in_order * 4 >= misses * 3 && look->begun > look->pages * 5 / 4 &&
                       look->pages > free_frames();
}

static void reason(const struct look *look, char *text, size_t size) {
    k42_format_text(text, size, "%lu pages came so far of a file of %lu, %lu of %lu times in order",
                    look->begun, look->pages, look->since.in_order, look->since.misses);
}

static k42_result give_pm(fcm_ref fcm, struct k42_class *class_) {
    struct fcm_usage usage = {0};
    pm_ref pm;
    k42_result result = k42_call(fcm, usage, &usage);
    uint64_t most = usage.present + free_frames() * 3 / 4;
    if (result >= 0)
        result = pm_create(class_, most > LEAST_FRAMES ? most : LEAST_FRAMES, &pm);
    if (result < 0)
        return result;
    result = advisor_chosen(k42_id_of(pm)); /* by this one */
    if (result >= 0)
        result = k42_call(fcm, manage, (k42_ref)pm);
    if (result >= 0)
        return k42_call(pm, end_when_unused);
    (void)!k42_destroy((k42_ref)pm);
    return result;
}

static k42_result carry_out(k42_id id, bool back) {
    fcm_ref fcm = (fcm_ref)k42_id_ref(id);
    struct k42_class *class_;
    if (back)
        return k42_call(fcm, manage, (k42_ref)pm_machine);
    k42_result result = k42_select(&pm_interface, advisor_loop.traits, &class_);
    return result < 0 ? result : give_pm(fcm, class_);
}

struct advisor advisor_loop = {
    .name = "loop",
    .about = "files that are read in order again and again, and do not fit, keep what fits",
    .unit = "misses a page read",
    .traits = "access=loop",
    .interface_ = &pm_interface,
    .rules = {.votes = 3, .watch = 5, .probation = 10, .against = 3, .least_gain = 10},
    .applies = applies,
    .judge = judge,
    .reason = reason,
    .carry_out = carry_out,
};
