/*
 * How an advisor makes up its mind about one object: pure, so that a host can test it.
 *
 *             votes                    still so, watched            better
 *   CALM ---------------> DOUBT ---------------------> CHANGING -> PROBATION ------> SETTLED
 *    ^  (no watch needed: straight to CHANGING)                        | worse, or      | no longer
 *    |                                                                 | not called for | called
 * for
 *    +---- a rest, twice as long each time ---- RETURNING <------------+----------------+
 *
 * One look at the object is one step. It brings a signal (is the change called for?) and what the
 * advisor wants less of, per piece of work. What is found once decides nothing: it takes several
 * looks in favour with none against, and a change that turns out badly, or that was not called for
 * any longer, makes the next one wait longer. So load that alternates, however fast, is followed a
 * few times and then let be.
 */
#ifndef KERNEL_ADVISOR_DECIDE_H
#define KERNEL_ADVISOR_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

enum advice_state {
    ADVICE_CALM,
    ADVICE_DOUBT,     /* watched, before anything is done */
    ADVICE_CHANGING,  /* a change is under way */
    ADVICE_PROBATION, /* changed; is it better? */
    ADVICE_SETTLED,
    ADVICE_CHECK,     /* settled, and watched for a while */
    ADVICE_RETURNING, /* the way back is under way */
};

/* What an advisor asks for, in looks. */
struct advice_rules {
    uint16_t votes;     /* looks in favour before anything is done */
    uint16_t watch;     /* how many that say something it is watched in doubt; 0: never */
    uint16_t patience;  /* looks, as long as too few of those watched say something */
    uint16_t probation; /* looks at which there was work */
    uint16_t against;   /* looks (or checks) against, in a row, before it is taken back */
    uint16_t check;     /* turns between two checks, of one look each, or as many as patience allows
                           until one says something; 0: there are none */
    int16_t least_gain; /* per cent that the cost of work must have gone down by; below 0: that it
                           may have gone up by */
    bool silence;       /* a check in which none said anything is one against */
};

/* One look. */
struct advice_look {
    int signal;          /* 1: the change is called for, -1: it is not, 0: cannot say */
    uint64_t cost, work; /* since the last look; no work: nothing can be said of the cost */
    uint32_t turns;      /* a rest, and the time between checks, are shorter by that; at least 1 */
};

struct advice {
    enum advice_state state;
    uint16_t votes, against, looks, busy;
    uint32_t turns, since;  /* while it is settled: without a setback; since the last check */
    uint16_t setbacks;      /* changes that were not good, or not for long */
    uint32_t rest;          /* turns during which it is let be */
    uint64_t cost, work;    /* of this state so far */
    uint64_t before, after; /* cost of a thousand pieces of work: before the change, on probation */
    bool measured;          /* both are */
};

/* What is to be done. */
enum advice_act {
    ADVICE_NOTHING,
    ADVICE_WATCH,   /* begin to watch */
    ADVICE_UNWATCH, /* stop watching */
    ADVICE_CHANGE,  /* make the change; advice_changed() tells how it went */
    ADVICE_SETTLE,  /* it was good; stop watching */
    ADVICE_UNDO,    /* it was not: make the way back, advice_returned() */
    ADVICE_RETURN,  /* it is not called for any more: the same */
};

enum advice_act advice_step(struct advice *advice, const struct advice_rules *rules,
                            const struct advice_look *look);

/* How what was asked for has gone. A change that was not made rests; as does one that was declined,
 * because its advisor may only advise: the latter as long as after a setback. */
void advice_changed(struct advice *advice, bool made);
void advice_declined(struct advice *advice);
void advice_returned(struct advice *advice, bool made);
/* It could not be watched: later. */
void advice_unwatched(struct advice *advice);
/* Somebody else has changed the object: from the beginning, after a rest. */
void advice_forget(struct advice *advice);

/* How much less, in per cent of before: negative: more. 0 unless it was measured. */
int advice_gain(const struct advice *advice);

#endif
