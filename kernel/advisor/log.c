/*
 * What advisors have done: the last decisions, and counts and mode of each advisor.
 *
 * Decisions are kept in a ring, under its lock; what is said again at once is counted, not kept
 * twice. Counts are changed by atomic operations and read by whoever likes. Every decision is a
 * trace event, too.
 */
#include "inside.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"

#include <k42/trace.h>

K42_TRACE_EVENT(event_advice, "advisor:decision", (string, advisor), (u32, object), (u32, deed),
                (string, from), (string, to), (i64, result), (string, reason));

enum { KEPT = 128 };

static struct advisor *const all[] = {&advisor_contention, &advisor_order,  &advisor_loop,
                                      &advisor_small,      &advisor_paging, &advisor_pipes,
                                      &advisor_offsets};
enum { ADVISORS = sizeof all / sizeof *all };

static struct {
    struct k42_lock lock;
    uint64_t last; /* number of the latest; 0: there is none */
    struct advisor_decision kept[KEPT];
} ring;

/* ---- decisions ---- */

static void count_deed(struct advisor *advisor, const struct advisor_said *said) {
    struct advisor_told *counts = &advisor->counts;
    uint64_t *const of[] = {
        [ADVISOR_ADVISED] = &counts->advised, [ADVISOR_CHANGED] = &counts->changed,
        [ADVISOR_FAILED] = &counts->failed,   [ADVISOR_SETTLED] = &counts->settled,
        [ADVISOR_UNDONE] = &counts->undone,   [ADVISOR_RETURNED] = &counts->returned,
    };
    advisor_count(of[said->deed]);
    if (said->deed != ADVISOR_SETTLED || !said->advice || !said->advice->measured)
        return;
    __atomic_add_fetch(&counts->before, said->advice->before, __ATOMIC_RELAXED);
    __atomic_add_fetch(&counts->after, said->advice->after, __ATOMIC_RELAXED);
    advisor_count(&counts->measured);
}

/* Under the lock. */
static void keep(const struct advisor *advisor, const struct advisor_said *said) {
    struct advisor_decision *last = &ring.kept[ring.last % KEPT];
    bool again = ring.last && last->advisor == advisor->name && last->id == said->id &&
                 last->deed == said->deed;
    uint32_t times = again ? last->times + 1 : 1;
    if (!again)
        last = &ring.kept[++ring.last % KEPT];
    *last = (struct advisor_decision){.number = ring.last,
                                      .ns = k42_platform_now_ns(),
                                      .advisor = advisor->name,
                                      .id = said->id,
                                      .deed = said->deed,
                                      .result = (int32_t)said->result,
                                      .times = times};
    if (said->advice && said->advice->measured && said->deed != ADVISOR_CHANGED) {
        last->before = said->advice->before;
        last->after = said->advice->after;
    }
    k42_copy_text(last->from, sizeof last->from, said->from);
    k42_copy_text(last->to, sizeof last->to, said->to);
    k42_copy_text(last->reason, sizeof last->reason, said->reason);
}

void advisor_say(struct advisor *advisor, const struct advisor_said *said) {
    count_deed(advisor, said);
    K42_TRACE(event_advice, advisor->name, said->id, said->deed, said->from, said->to, said->result,
              said->reason);
    k42_lock(&ring.lock);
    keep(advisor, said);
    k42_unlock(&ring.lock);
}

uint64_t advisor_decision(uint64_t number, struct advisor_decision *decision) {
    k42_lock(&ring.lock);
    uint64_t first = ring.last > KEPT ? ring.last - KEPT + 1 : 1;
    uint64_t wanted = number > first ? number : first;
    bool there = wanted <= ring.last;
    if (there)
        *decision = ring.kept[wanted % KEPT];
    k42_unlock(&ring.lock);
    return there ? wanted : 0;
}

/* ---- modes ---- */

bool advisor_tell(unsigned n, struct advisor_told *told) {
    if (n >= ADVISORS)
        return false;
    const uint64_t *from = &all[n]->counts.saw;
    *told = all[n]->counts;
    for (uint64_t *to = &told->saw; to <= &told->measured; to++, from++)
        *to = k42_load_relaxed(from);
    told->name = all[n]->name;
    told->about = all[n]->about;
    told->unit = all[n]->unit;
    told->mode = advisor_mode_of(all[n]);
    return true;
}

bool advisors_awake(void) {
    for (unsigned i = 0; i < ADVISORS_THAT_LOOK; i++)
        if (advisor_mode_of(advisors_that_look[i]) != ADVISOR_OFF)
            return true;
    return false;
}

k42_result advisor_set(const char *name, enum advisor_mode mode) {
    bool found = false;
    for (unsigned i = 0; i < ADVISORS; i++)
        if (!*name || k42_text_equal(all[i]->name, name)) {
            __atomic_store_n(&all[i]->mode, mode, __ATOMIC_RELAXED);
            found = true;
        }
    if (!found)
        return -ENOENT;
    notes_enable(advisors_awake());
    advisor_wake();
    return 0;
}
