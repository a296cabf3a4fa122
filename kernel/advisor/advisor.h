/*
 * Advisors: they watch what cheap counters tell, and swap objects for others that fit better.
 *
 *   decide.c              how one makes up its mind about one object: pure
 *   pattern.c             in which pattern pages come: pure
 *   thread.c              the thread, and which objects it looks at in a turn
 *   attention.c           the few that are looked at at every turn
 *   consider.c            one object: a look, and what follows from it
 *   changes.c             swaps asked for, and what came of them
 *   cases.c               what is known of each object that was looked at
 *   look.c                one look at a page cache or a PM
 *   watch.c               a hook on a cache that counts calls, while an advisor is in doubt
 *   watch_pages.c         one on a PM that sees which pages come
 *   notes.c               where busy objects are noted, on paths that are slow anyway
 *   log.c                 the last decisions, and what each advisor saw, did and gained
 *   advisor_NAME.c        one advisor each
 *   advisor_alone.c       objects that turn themselves back into ones for a single user
 *   none.c                all of it for a kernel built without advisors
 *
 * Here is what the rest of the kernel says to them. Any context that may allocate, unless it says
 * otherwise. The chapter is docs/advisors.md.
 */
#ifndef KERNEL_ADVISOR_ADVISOR_H
#define KERNEL_ADVISOR_ADVISOR_H

#include <k42/object.h>
#include <stdbool.h>
#include <stddef.h>

struct k42_class;

enum advisor_mode {
    ADVISOR_OFF = 1, /* neither looks nor acts; what it has changed stays */
    ADVISOR_ADVISE,  /* looks, and says what it would do */
    ADVISOR_ON,
};

/* Starts the thread, in the mode of the option advisors=on|advise|off. Once, when threads run. */
void advisor_open(void);

/* Something slow happened to an object: it is worth a look. Any context, active. */
void advisor_note(k42_id id);

/* Somebody has chosen the object's class himself: it stays his choice until he takes that back.
 * Errors: -ENOMEM, it cannot be remembered. */
K42_MUST_CHECK
k42_result advisor_chosen(k42_id id);
void advisor_chosen_no_more(k42_id id);

/* Whether an object may turn itself into one for a single user; and what came of a change, to or
 * fro. Classes of pipes and open files; of others it knows nothing, and allows it. */
bool advisor_allows(k42_id id, const struct k42_class *from, const struct k42_class *to);
void advisor_changed_itself(k42_id id, const struct k42_class *from, const struct k42_class *to);

/* ---- for control ---- */

struct advisor_told {
    const char *name, *about, *unit;
    enum advisor_mode mode;
    uint64_t saw, watched, advised, changed, settled, undone, returned, failed;
    uint64_t before, after; /* of those settled: thousandths of the unit, added up */
    uint64_t measured;      /* how many those are */
};

/* The n-th advisor, from 0; false: there are no more. */
bool advisor_tell(unsigned n, struct advisor_told *told);
/* Sets the mode of one advisor, or with an empty name of all. Errors: -ENOENT. */
K42_MUST_CHECK
k42_result advisor_set(const char *name, enum advisor_mode mode);

enum advisor_deed {
    ADVISOR_ADVISED, /* would have changed it */
    ADVISOR_CHANGED,
    ADVISOR_FAILED,   /* to change it, or to change it back */
    ADVISOR_SETTLED,  /* it has proved good */
    ADVISOR_UNDONE,   /* it has not */
    ADVISOR_RETURNED, /* it is not called for any more */
};

struct advisor_decision {
    uint64_t number, ns; /* counted from 1; k42_platform_now_ns() */
    const char *advisor;
    k42_id id;
    enum advisor_deed deed;
    int32_t result;         /* of a swap that failed */
    uint32_t times;         /* said so often in a row */
    uint64_t before, after; /* thousandths of the advisor's unit; both 0: not measured */
    char from[48], to[48], reason[112];
};

/* Copies the first decision with that number or a later one that is still known; its number, or 0.
 */
uint64_t advisor_decision(uint64_t number, struct advisor_decision *decision);

#endif
