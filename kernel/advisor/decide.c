/*
 * How an advisor makes up its mind (decide.h). No state of its own, no memory.
 */
#include "decide.h"

enum {
    REST_LEAST = 16,
    SETBACKS_MOST = 8, /* a rest is at most 16 << 8 turns */
    IN_VAIN_MOST = 4,  /* and after watching in vain, which costs less, 16 << 4 */
    FADE = 8,          /* looks that say nothing before votes are forgotten */
    UNUSED = 200,      /* looks without work on probation before it is believed */
    FORGIVE = 3000,    /* turns that all was well before a setback is forgotten */
};

static uint32_t turns_of(const struct advice_look *look) {
    return look->turns ? look->turns : 1;
}

static uint64_t per_thousand(uint64_t cost, uint64_t work) {
    return work ? cost * 1000 / work : 0;
}

static void enter(struct advice *advice, enum advice_state state) {
    advice->state = state;
    advice->votes = advice->against = advice->looks = advice->busy = 0;
    advice->cost = advice->work = 0;
    advice->since = 0;
}

static void rest(struct advice *advice) {
    enter(advice, ADVICE_CALM);
    advice->rest = (uint32_t)REST_LEAST << advice->setbacks;
}

static void set_back(struct advice *advice) {
    if (advice->setbacks < SETBACKS_MOST)
        advice->setbacks++;
}

static void count(struct advice *advice, const struct advice_look *look) {
    advice->cost += look->cost;
    advice->work += look->work;
    advice->looks++;
    advice->busy += look->work != 0;
    if (look->signal > 0)
        advice->votes++;
    if (look->signal < 0)
        advice->against++;
}

/* Now it is known how things were. */
static enum advice_act change(struct advice *advice) {
    advice->before = per_thousand(advice->cost, advice->work);
    advice->measured = advice->work != 0;
    enter(advice, ADVICE_CHANGING);
    return ADVICE_CHANGE;
}

static enum advice_act go_back(struct advice *advice, enum advice_act why) {
    enter(advice, ADVICE_RETURNING);
    return why;
}

static enum advice_act calm(struct advice *advice, const struct advice_rules *rules,
                            const struct advice_look *look) {
    if (advice->rest) {
        advice->rest -= turns_of(look) < advice->rest ? turns_of(look) : advice->rest;
        return ADVICE_NOTHING;
    }
    if (look->signal < 0 || (advice->votes && advice->looks > advice->votes + FADE)) {
        enter(advice, ADVICE_CALM);
        return ADVICE_NOTHING;
    }
    if (look->signal > 0 || advice->votes)
        count(advice, look);
    if (advice->votes < rules->votes)
        return ADVICE_NOTHING;
    if (!rules->watch)
        return change(advice);
    enter(advice, ADVICE_DOUBT);
    return ADVICE_WATCH;
}

static enum advice_act doubt(struct advice *advice, const struct advice_rules *rules,
                             const struct advice_look *look) {
    uint16_t most = rules->patience > rules->watch ? rules->patience : rules->watch;
    count(advice, look);
    if (advice->votes + advice->against < rules->watch && advice->looks < most)
        return ADVICE_NOTHING;
    if (advice->votes > advice->against && advice->votes * 2 >= rules->watch)
        return change(advice);
    if (advice->setbacks < IN_VAIN_MOST)
        set_back(advice);
    rest(advice);
    return ADVICE_UNWATCH;
}

/* Whether the cost went down by as much as it must. */
static bool is_better(const struct advice *advice, const struct advice_rules *rules) {
    return advice->after * 100 <= advice->before * (uint64_t)(100 - rules->least_gain);
}

static enum advice_act probation(struct advice *advice, const struct advice_rules *rules,
                                 const struct advice_look *look) {
    uint16_t against = look->signal > 0 ? 0 : advice->against;
    count(advice, look);
    advice->against = look->signal < 0 ? advice->against : against;
    if (advice->against >= rules->against)
        return go_back(advice, ADVICE_RETURN);
    if (advice->busy < rules->probation && advice->looks < UNUSED)
        return ADVICE_NOTHING;
    advice->after = per_thousand(advice->cost, advice->work);
    advice->measured = advice->measured && advice->work;
    if (advice->measured && !is_better(advice, rules))
        return go_back(advice, ADVICE_UNDO);
    enter(advice, ADVICE_SETTLED);
    return ADVICE_SETTLE;
}

static enum advice_act settled(struct advice *advice, const struct advice_rules *rules,
                               const struct advice_look *look) {
    if (look->signal)
        advice->against = look->signal < 0 ? advice->against + 1 : 0;
    if (advice->against >= rules->against)
        return go_back(advice, ADVICE_RETURN);
    advice->turns += turns_of(look);
    if (advice->turns >= FORGIVE) {
        advice->turns = 0;
        advice->setbacks -= advice->setbacks != 0;
    }
    advice->since += turns_of(look);
    if (!rules->check || advice->since < rules->check)
        return ADVICE_NOTHING;
    advice->since = 0;
    advice->busy = advice->against; /* kept over the check */
    advice->votes = advice->against = advice->looks = 0;
    advice->state = ADVICE_CHECK;
    return ADVICE_WATCH;
}

static enum advice_act check(struct advice *advice, const struct advice_rules *rules,
                             const struct advice_look *look) {
    uint16_t checks = advice->busy;
    count(advice, look);
    advice->busy = checks;
    if (!look->signal && advice->looks < rules->patience)
        return ADVICE_NOTHING;
    bool against = look->signal < 0 || (!look->signal && rules->silence);
    checks = against ? checks + 1 : 0;
    if (checks >= rules->against)
        return go_back(advice, ADVICE_RETURN);
    enter(advice, ADVICE_SETTLED);
    advice->against = checks;
    return ADVICE_UNWATCH;
}

enum advice_act advice_step(struct advice *advice, const struct advice_rules *rules,
                            const struct advice_look *look) {
    switch (advice->state) {
    case ADVICE_CALM:
        return calm(advice, rules, look);
    case ADVICE_DOUBT:
        return doubt(advice, rules, look);
    case ADVICE_PROBATION:
        return probation(advice, rules, look);
    case ADVICE_SETTLED:
        return settled(advice, rules, look);
    case ADVICE_CHECK:
        return check(advice, rules, look);
    case ADVICE_CHANGING:
    case ADVICE_RETURNING:
        break;
    }
    return ADVICE_NOTHING;
}

void advice_changed(struct advice *advice, bool made) {
    if (made)
        enter(advice, ADVICE_PROBATION);
    else
        rest(advice);
}

void advice_declined(struct advice *advice) {
    set_back(advice);
    rest(advice);
}

void advice_returned(struct advice *advice, bool made) {
    if (!made) {
        enter(advice, ADVICE_SETTLED);
        return;
    }
    set_back(advice);
    rest(advice);
}

void advice_unwatched(struct advice *advice) {
    if (advice->state == ADVICE_CHECK)
        enter(advice, ADVICE_SETTLED);
    else
        rest(advice);
}

void advice_forget(struct advice *advice) {
    rest(advice);
}

int advice_gain(const struct advice *advice) {
    if (!advice->measured || !advice->before)
        return 0;
    return (int)(((int64_t)advice->before - (int64_t)advice->after) * 100 /
                 (int64_t)advice->before);
}
