/*
 * One object: a look at it, what its advisor makes of that, and doing so.
 *
 * Each object has one advisor at most that has changed it, or is about to. While it is nobody's
 * each of them looks, and the first that wants to do something has it.
 *
 * No state of its own: a case's is the advisors' thread's.
 */
#include "inside.h"

enum { QUIET_MOST = 8 }; /* looks before a case is closed */

static void say_settled(struct advice_case *one, const struct look *look) {
    char reason[112];
    case_advisor(one)->reason(look, reason, sizeof reason);
    advisor_say(case_advisor(one), &(struct advisor_said){.id = one->id,
                                                          .deed = ADVISOR_SETTLED,
                                                          .from = one->was,
                                                          .to = one->is,
                                                          .reason = reason,
                                                          .advice = case_advice(one)});
}

static void act(struct advice_case *one, const struct look *look, enum advice_act what) {
    switch (what) {
    case ADVICE_WATCH:
        attention_watch(one, look);
        break;
    case ADVICE_UNWATCH:
        attention_cool(one);
        break;
    case ADVICE_CHANGE:
        change_make(one, look);
        break;
    case ADVICE_UNDO:
        change_return(one, look, ADVISOR_UNDONE);
        break;
    case ADVICE_RETURN:
        change_return(one, look, ADVISOR_RETURNED);
        break;
    case ADVICE_SETTLE:
        say_settled(one, look);
        attention_cool(one);
        break;
    case ADVICE_NOTHING:
        break;
    }
    if (one->whose >= 0 && case_advice(one)->state == ADVICE_CALM)
        case_let_be(one);
}

static void step(struct advice_case *one, unsigned n, const struct look *look, bool changed) {
    struct advisor *advisor = advisors_that_look[n];
    struct advice *advice = &one->advice[n];
    struct advice_look said = {0};
    advisor->judge(look, changed, &said);
    said.turns = look->turns;
    if (said.signal || said.work)
        look_said_something(one, look);
    bool first = advice->state == ADVICE_CALM && !advice->votes && said.signal > 0;
    enum advice_act what = advice_step(advice, &advisor->rules, &said);
    if (first && !advice->rest)
        advisor_count(&advisor->counts.saw);
    if (what != ADVICE_NOTHING)
        one->whose = (int32_t)n;
    act(one, look, what);
}

/* Whether its advisor still has to do with it: not when somebody else has swapped it. */
static bool is_still(struct advice_case *one, const struct look *look) {
    const struct advisor *advisor = case_advisor(one);
    return advisor_mode_of(advisor) != ADVISOR_OFF &&
           (case_advice(one)->state == ADVICE_DOUBT
                ? advisor->applies(look)
                : k42_text_equal(one->is, look->info.class_name));
}

/* Nobody's yet. */
static void think(struct advice_case *one, const struct look *look) {
    bool busy = false;
    for (unsigned n = 0; n < ADVISORS_THAT_LOOK && one->whose < 0; n++) {
        struct advisor *advisor = advisors_that_look[n];
        if (advisor_mode_of(advisor) == ADVISOR_OFF || !advisor->applies(look))
            continue;
        step(one, n, look, false);
        busy |= one->advice[n].votes || one->advice[n].rest;
    }
    one->quiet = busy || one->whose >= 0 ? 0 : one->quiet + 1;
}

bool consider(struct advice_case *one, uint32_t turn) {
    struct look look;
    if (one->change && !change_take(one))
        return true;
    if (!look_at(one, &look)) {
        case_let_be(one);
        return false;
    }
    look.turns = turn - one->turn;
    one->turn = turn;
    if (__atomic_load_n(&one->chosen, __ATOMIC_ACQUIRE)) {
        case_let_be(one);
        return true;
    }
    if (one->whose >= 0 && !is_still(one, &look)) {
        advice_forget(case_advice(one));
        case_let_be(one);
    }
    if (one->whose >= 0)
        step(one, (unsigned)one->whose, &look, case_advice(one)->state != ADVICE_DOUBT);
    else
        think(one, &look);
    return one->quiet <= QUIET_MOST;
}
