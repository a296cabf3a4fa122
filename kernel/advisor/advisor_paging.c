/*
 * Paging pressure: pages leave, and come back soon, because the policy that chooses among them does
 * not suit how they are used. The PM becomes one of a class that does.
 *
 * That pages are given back is counted anyway. In doubt a hook on the PM sees which pages come:
 * those that come back in order, round by round, call for a policy for loops; some that come back
 * soon while others do not, for one that tells what is used often from what is used once. Programs
 * that share the machine's PM may be interactive, so that one is never made one for loops: a file
 * that is read so gets a PM of its own (advisor_loop.c).
 *
 * What counts is how many pages have to come for each page that is read of their caches: fewer on
 * probation, or it is undone. Pages that are used by mappings alone are not measured, so nothing is
 * done for those; private pages leave by the clock of their address space, whatever the PM.
 *
 * Later a PM for loops goes back as soon as pages come out of order, which is counted; whether
 * another class would be better by now is watched now and then.
 */
#include "inside.h"

enum { LEAST = 64, MOST = 1024, PART = 4, GIVEN_BACK = 32 };
#define FOR_LOOPS     "access=loop"
#define FOR_FREQUENCY "replace=frequency scans=yes"

/* Not somebody's own policy, which a component has brought. */
static bool applies(const struct look *look) {
    static const struct k42_class *const classes[] = {&pm_turns, &pm_clock, &pm_2q, &pm_arc,
                                                      &pm_mru};
    for (unsigned i = 0; look->is_pm && i < sizeof classes / sizeof *classes; i++)
        if (k42_text_equal(look->info.class_name, classes[i]->name))
            return true;
    return false;
}

static bool is_machine(const struct look *look) {
    return look->info.id == k42_id_of(pm_machine);
}

/* What it became when it was made one for loops. */
static bool is_for_loops(const struct look *look) {
    struct k42_class *loops;
    return k42_select(&pm_interface, FOR_LOOPS, &loops) >= 0 &&
           k42_text_equal(look->info.class_name, loops->name);
}

/* So many pages say something: a part of what there is room for. */
static uint64_t enough(uint64_t frames) {
    uint64_t part = frames / PART;
    return part < LEAST ? LEAST : part < MOST ? part : MOST;
}

static enum pattern_kind wanted(const struct look *look, const struct pattern_counts *counts) {
    enum pattern_kind kind = pattern_of(counts);
    return kind == PATTERN_LOOP && is_machine(look) ? PATTERN_NONE : kind;
}

/* In doubt: of the first pages nobody can know whether they come back. */
static int calls_for(const struct look *look) {
    if (wanted(look, &look->coming.pattern) != PATTERN_NONE)
        return 1;
    return look->coming.in_all.came > 8 * look->coming.frames ? -1 : 0;
}

/* Watched, after the change: whether it is still what is wanted, as far as can be said. */
static int confirms(const struct look *look) {
    enum pattern_kind kind = wanted(look, &look->coming.pattern);
    if (is_for_loops(look))
        return pattern_is_ordered(look->coming.pattern.came, look->coming.pattern.went_back) ? 1
                                                                                             : -1;
    return kind == PATTERN_FREQUENT ? 1 : kind == PATTERN_LOOP ? -1 : 0;
}

static void judge_watched(const struct look *look, bool changed, struct advice_look *said) {
    const struct pages_watched *coming = &look->coming;
    uint64_t much = enough(coming->frames);
    if (!coming->read || (coming->pattern.came < much && coming->read < PART * much))
        return;
    said->signal = changed ? confirms(look) : calls_for(look);
    said->cost = coming->filled;
    said->work = coming->read;
}

static void judge(const struct look *look, bool changed, struct advice_look *said) {
    const struct pm_look *since = &look->pm_since;
    if (look->is_watched)
        judge_watched(look, changed, said);
    else if (!changed)
        said->signal = since->given_back >= GIVEN_BACK;
    else if (is_for_loops(look) && since->came >= enough(look->frames))
        said->signal = pattern_is_ordered(since->came, since->went_back) ? 1 : -1;
}

static const char *asks(const struct look *look) {
    const struct pattern_counts *counts = &look->coming.in_all;
    bool in_order = pattern_is_ordered(counts->came, counts->went_back) && !is_machine(look);
    return in_order ? FOR_LOOPS : FOR_FREQUENCY;
}

static void reason(const struct look *look, char *text, size_t size) {
    const struct pattern_counts *counts = &look->coming.in_all;
    if (look->is_watched)
        k42_format_text(
            text, size, "%lu pages came, %lu of %lu again, %lu soon; it went back %lu times",
            counts->came, counts->again, counts->looked_at, counts->soon, counts->went_back);
    else
        k42_format_text(text, size, "%lu pages came, and it went back %lu times",
                        look->pm_since.came, look->pm_since.went_back);
}

struct advisor advisor_paging = {
    .name = "paging",
    .about = "what chooses the pages that leave suits the order in which they come back",
    .unit = "misses a page read",
    .asks = asks,
    .interface_ = &pm_interface,
    .plain = "choice=clock",
    .rules = {.votes = 3,
              .watch = 4,
              .patience = 100,
              .probation = 8,
              .against = 3,
              .check = 100,
              .least_gain = 5},
    .applies = applies,
    .judge = judge,
    .reason = reason,
};
