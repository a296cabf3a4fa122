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
#include "pattern.h"

#include "../mem/fcm/fcm.h"
#include "../mem/heap/heap.h"
#include "../mem/pm/pm.h"
#include "runtime.h"

#include <k42/k42.h>

/* ---- one look (look.c) ---- */

/* What hooks have counted. */
struct watched {
    uint64_t reads, changes, maps;
    uint64_t bytes;     /* that were read */
    uint64_t meetings;  /* reads that began while another CPU was in one */
    uint64_t timed, ns; /* reads that went through at once, and how long they took */
    uint32_t readers;   /* CPUs that each made an eighth of the reads, or more */
};

/* What a PM has counted. */
struct pm_look {
    uint64_t given_back, came, went_back;
};

/* What a hook on a PM and those on its caches have counted since the last look that said something.
 */
struct pages_watched {
    struct pattern_counts pattern, in_all; /* in_all: since it is watched */
    uint64_t frames;                       /* for the pages, when that began */
    uint64_t filled, read;                 /* pages, of the caches that are watched */
};

struct look {
    struct k42_object_info info;
    uint32_t turns; /* since the last look */
    bool is_pm;     /* else a page cache */
    bool is_watched;

    /* A page cache. */
    struct fcm_counts now, since; /* since the last look that said something */
    uint64_t pages;               /* of the file */
    uint64_t begun;               /* pages that were begun to be filled since the case was opened */
    struct watched watched, in_all; /* since such a look; since it is watched */

    /* A PM. */
    struct pm_look pm_now, pm_since; /* since the last look that said something */
    uint64_t frames;                 /* it has for pages */
    struct pages_watched coming;
};

/* ---- an advisor ---- */

struct advisor {
    const char *name, *about, *unit;
    const char *traits; /* of what it asks for, or: */
    const char *(*asks)(const struct look *look);
    const struct k42_interface *interface_; /* whose class has them */
    const char *plain;                      /* traits of a class to go back to when it has gone */
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

/* Those that look; pipes and open files see for themselves. */
enum { ADVISORS_THAT_LOOK = 5 };
extern struct advisor *const advisors_that_look[ADVISORS_THAT_LOOK];
extern struct advisor advisor_contention, advisor_order, advisor_loop, advisor_small,
    advisor_paging, advisor_pipes, advisor_offsets;

/* Whether caches of a class can be in the way of CPUs that read them. (advisor_contention.c) */
bool contention_may_help(const char *class_name);

static inline enum advisor_mode advisor_mode_of(const struct advisor *advisor) {
    return (enum advisor_mode)__atomic_load_n(&advisor->mode, __ATOMIC_RELAXED);
}

/* ---- what is known of an object (cases.c) ---- */

struct watch;
struct pages_watch;

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
    struct advice advice[ADVISORS_THAT_LOOK];
    char was[48], is[48]; /* classes: before the change, and what it was made */
    struct fcm_counts last;
    struct pm_look pm_last;
    uint64_t begun; /* pages, when the case was opened */
    bool seen;      /* what was counted last is something */
    struct watch *watch;
    struct pages_watch *pages_watch;
    struct change *change;
};

/* Before the first case; -ENOMEM: there will be none. */
k42_result cases_open(void);
/* The case of an object, a new one if there is none; NULL: no memory, or too many. */
struct advice_case *case_open(k42_id id);
/* Hands a swap in unless somebody has chosen: whoever does that later comes after it. */
bool case_submit(struct advice_case *one, struct k42_swap *swap);
/* Visits about that many, going on where the last call ended. Those for whom visit returns false
 * are closed. */
void cases_visit(unsigned count, bool (*visit)(struct advice_case *));

static inline struct advice *case_advice(struct advice_case *one) {
    return &one->advice[one->whose];
}

static inline struct advisor *case_advisor(const struct advice_case *one) {
    return advisors_that_look[one->whose];
}

/* One look at a page cache or a PM; false: it has gone, or is neither. `one` keeps what the next
 * look subtracts. Active. */
bool look_at(struct advice_case *one, struct look *look);
/* It was of use: the next one begins from there. */
void look_said_something(struct advice_case *one, const struct look *look);

/* ---- hooks on page caches (watch.c) ---- */

/* Errors: k42_interpose()'s. */
K42_MUST_CHECK
k42_result watch_begin(k42_id id, struct watch **made);
void watch_end(struct watch *watch);
/* Since the last look that said something, and since it began. */
void watch_read(struct watch *watch, struct watched *since, struct watched *in_all);
/* What was read is subtracted from now on. */
void watch_go_on(struct watch *watch);
/* Whether several CPUs each made a good part of the reads, and met in them. */
static inline bool watched_meet(const struct watched *watched) {
    enum { MEETING_PART = 64 };
    return watched->readers > 1 && watched->meetings * MEETING_PART >= watched->reads;
}

/* ---- hooks on PMs (watch_pages.c) ---- */

/* For a PM with so many frames for its pages. Errors: k42_interpose()'s. */
K42_MUST_CHECK
k42_result pages_watch_begin(k42_id id, uint64_t frames, struct pages_watch **made);
void pages_watch_end(struct pages_watch *watch);
void pages_watch_read(struct pages_watch *watch, struct pages_watched *since);
void pages_watch_go_on(struct pages_watch *watch);

/* ---- attention (attention.c) ---- */

/* It is looked at at every turn, as few are; false: it cannot be. */
bool attention_heat(struct advice_case *one);
/* The same, and its calls are watched; otherwise it is let be, and its advice told. */
void attention_watch(struct advice_case *one, const struct look *look);
/* No more of either. */
void attention_cool(struct advice_case *one);
void attention_visit(void (*visit)(struct advice_case *));

/* ---- changes (changes.c) ---- */

/* Nobody's, as far as advisors are concerned. */
void case_let_be(struct advice_case *one);
/* To what the advisor would have; back to what it was, or if that class has gone to the plain one.
 * Active. */
void change_make(struct advice_case *one, const struct look *look);
void change_return(struct advice_case *one, const struct look *look, enum advisor_deed deed);
/* False: the change is still under way. */
bool change_take(struct advice_case *one);

/* ---- one object (consider.c) ---- */

/* A look, and what follows from it; at a certain turn. False: the case is to be closed. Active. */
bool consider(struct advice_case *one, uint32_t turn);

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
