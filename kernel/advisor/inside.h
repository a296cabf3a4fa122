/*
 * Advisors: what their files share. advisor.h says which file does what.
 *
 * All that is known of objects is the advisors' thread's, except where cases.c says that others put
 * it in. Each advisor judges by one look at a time and acts by asking for traits, never for a
 * class.
 */
#ifndef KERNEL_ADVISOR_INSIDE_H
#define KERNEL_ADVISOR_INSIDE_H

#include "advisor.h"
#include "decide.h"

#include "../mem/fcm/fcm.h"
#include "../mem/heap/heap.h"
#include "runtime.h"

#include <k42/k42.h>

/* ---- one look (look.c) ---- */

/* What hooks have counted since the last look. */
struct watched {
    uint64_t reads, changes, maps;
    uint64_t meetings;  /* reads that began while another CPU was in one */
    uint64_t timed, ns; /* reads that went through at once, and how long they took */
    uint32_t readers;   /* CPUs that each made an eighth of the reads, or more */
};

struct look {
    struct k42_object_info info;
    uint32_t turns;               /* since the last look */
    struct fcm_counts now, since; /* since the last look that said something */
    uint64_t pages;               /* of the file */
    uint64_t begun;               /* pages that were begun to be filled since the case was opened */
    bool is_watched;
    struct watched watched; /* since the last look */
    uint64_t reads;         /* since it is watched */
};

/* ---- an advisor ---- */

struct advisor {
    const char *name, *about, *unit;
    const char *traits;                     /* of what it asks for */
    const struct k42_interface *interface_; /* whose class has them */
    struct advice_rules rules;
    /* Whether an object that nobody has changed could be its matter. */
    bool (*applies)(const struct look *look);
    /* What the look says: of an object that is as it was, or (changed) as the advisor made it. */
    void (*judge)(const struct look *look, bool changed, struct advice_look *said);
    /* Why, in words, at most 111 bytes. */
    void (*reason)(const struct look *look, char *text, size_t size);
    /* Makes the change, or the way back, where it is no swap; or NULL. 0 or an error. */
    k42_result (*carry_out)(k42_id id, bool back);

    /* log.c's */
    uint32_t mode;
    struct advisor_told counts;
};

enum { ADVISORS_OF_CACHES = 4 };
extern struct advisor *const advisors_of_caches[ADVISORS_OF_CACHES];
extern struct advisor advisor_contention, advisor_order, advisor_loop, advisor_small, advisor_pipes,
    advisor_offsets;

static inline enum advisor_mode advisor_mode_of(const struct advisor *advisor) {
    return (enum advisor_mode)__atomic_load_n(&advisor->mode, __ATOMIC_RELAXED);
}

/* ---- what is known of an object (cases.c) ---- */

struct watch;

/* A swap asked for; the swapper has it until it has ended. */
struct change {
    struct k42_swap swap;
    uint32_t ended;
    enum advisor_deed deed; /* what it is, if it succeeds */
    char from[48], to[48], reason[112];
};

struct advice_case {
    struct advice_case *next;
    k42_id id;
    uint32_t chosen; /* by somebody: to be left alone; set by anybody */
    int32_t whose;   /* the advisor that has changed it, or is about to; -1: nobody */
    uint32_t turn;   /* of the last look */
    uint32_t quiet;  /* looks at which there was nothing to think about */
    bool hot;        /* in the list of those that are looked at at every turn */
    struct advice advice[ADVISORS_OF_CACHES];
    char was[48], is[48]; /* classes: before the change, and what it was made */
    struct fcm_counts last;
    uint64_t begun; /* pages, when the case was opened */
    uint64_t reads; /* since it is watched */
    bool seen;      /* `last` is something */
    struct watch *watch;
    struct change *change;
};

/* The case of an object, a new one if there is none; NULL: no memory, or too many. */
struct advice_case *case_open(k42_id id);
/* Hands a swap in unless somebody has chosen: whoever does that later comes after it. */
bool case_submit(struct advice_case *one, struct k42_swap *swap);
/* Visits about that many, going on where the last call ended. Those for whom visit returns false
 * are closed. */
void cases_visit(unsigned count, bool (*visit)(struct advice_case *));

/* One look at a page cache; false: it has gone, or is none. `one` keeps what the next look
 * subtracts. Active. */
bool look_at(struct advice_case *one, struct look *look);

/* ---- hooks (watch.c) ---- */

/* Errors: k42_interpose()'s. */
K42_MUST_CHECK
k42_result watch_begin(k42_id id, struct watch **made);
void watch_end(struct watch *watch);
void watch_read(struct watch *watch, struct watched *since);

/* ---- what happened (log.c) ---- */

struct advisor_said {
    k42_id id;
    enum advisor_deed deed;
    k42_result result;
    const char *from, *to, *reason;
    const struct advice *advice; /* for what was measured; or NULL */
};
void advisor_say(struct advisor *advisor, const struct advisor_said *said);

static inline void advisor_count(uint64_t *count) {
    __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
}

/* ---- busy objects (notes.c) ---- */

K42_MUST_CHECK
k42_result notes_open(unsigned cpus);
/* Nothing is noted while nobody looks. */
void notes_enable(bool enabled);
/* Hands over each that was noted, at most `count` of them. */
void notes_take(unsigned count, void (*take)(k42_id id));

/* Wakes the thread: a mode has changed. (thread.c) */
void advisor_wake(void);
/* Whether any of the advisors that the thread runs is not off. (log.c) */
bool advisors_awake(void);

#endif
