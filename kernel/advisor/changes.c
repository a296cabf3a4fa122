/*
 * Changing objects: one swap of an object at a time, asked for of the runtime's swapper.
 *
 * A swap is bound to the class that the advisor has seen: when a storm, or somebody, was faster,
 * nothing is done, and the object is looked at anew. Classes are found and swaps handed in within
 * one active section, as long as which no component goes. What is no swap is done at once.
 *
 * Owns: a change from when it is asked for until its end was taken note of; between, the swapper
 * has it. Fails: what cannot be done is tried again after a rest.
 */
#include "inside.h"

enum { ATTEMPTS = 4 };

void case_let_be(struct advice_case *one) {
    attention_cool(one);
    one->whose = -1;
}

/* ---- asking for one ---- */

/* In the runtime's own thread. */
static void ended(struct k42_swap *swap) {
    struct change *change = k42_container(swap, struct change, swap);
    __atomic_store_n(&change->ended, 1, __ATOMIC_RELEASE);
}

/* True: it has been asked for. */
static bool ask(struct advice_case *one, struct change *change, struct k42_class *to) {
    struct k42_class *from = k42_class_find(change->from);
    if (!from || !to || from == to || from->interface != to->interface ||
        !k42_class_can_become(from, to))
        return false;
    change->swap = (struct k42_swap){
        .ref = k42_id_ref(one->id), .from = from, .to = to, .attempts = ATTEMPTS, .done = ended};
    k42_copy_text(change->to, sizeof change->to, to->name);
    one->change = change;
    if (case_submit(one, &change->swap))
        return true;
    one->change = NULL;
    return false;
}

static struct change *begin(struct advice_case *one, const struct look *look,
                            enum advisor_deed deed) {
    struct change *change = heap_allocate_zeroed(sizeof *change);
    if (!change)
        return NULL;
    change->deed = deed;
    k42_copy_text(change->from, sizeof change->from, look->info.class_name);
    case_advisor(one)->reason(look, change->reason, sizeof change->reason);
    return change;
}

/* ---- what came of one ---- */

static void say(struct advice_case *one, const struct change *change, enum advisor_deed deed,
                k42_result result) {
    advisor_say(case_advisor(one), &(struct advisor_said){.id = one->id,
                                                          .deed = deed,
                                                          .result = result,
                                                          .from = change->from,
                                                          .to = change->to,
                                                          .reason = change->reason,
                                                          .advice = case_advice(one)});
}

static void settle(struct advice_case *one, const struct change *change, k42_result result) {
    struct advice *advice = case_advice(one);
    bool made = !result, is_change = change->deed == ADVISOR_CHANGED;
    if (made || result == -ETIMEDOUT || result == -ENOMEM || result == -ENOTSUP)
        say(one, change, made ? change->deed : ADVISOR_FAILED, result);
    if (is_change)
        advice_changed(advice, made);
    else
        advice_returned(advice, made);
    if (made != is_change)
        case_let_be(one);
}

bool change_take(struct advice_case *one) {
    struct change *change = one->change;
    if (!__atomic_load_n(&change->ended, __ATOMIC_ACQUIRE))
        return false;
    if (change->deed == ADVISOR_CHANGED) {
        k42_copy_text(one->was, sizeof one->was, change->from);
        k42_copy_text(one->is, sizeof one->is, change->to);
    }
    one->change = NULL;
    settle(one, change, change->swap.report.result);
    heap_free(change);
    return true;
}

/* What is no swap. */
static void do_now(struct advice_case *one, struct change *change) {
    bool back = change->deed != ADVISOR_CHANGED;
    if (!back) {
        k42_copy_text(one->was, sizeof one->was, change->from);
        k42_copy_text(one->is, sizeof one->is, change->from);
    }
    k42_result result = case_advisor(one)->carry_out(one->id, back);
    settle(one, change, result < 0 ? result : 0);
    heap_free(change);
}

/* ---- there and back ---- */

void change_make(struct advice_case *one, const struct look *look) {
    const struct advisor *advisor = case_advisor(one);
    struct change *change = begin(one, look, ADVISOR_CHANGED);
    struct k42_class *to = NULL;
    enum advisor_mode mode = advisor_mode_of(advisor);
    const char *traits = advisor->asks ? advisor->asks(look) : advisor->traits;
    if (change && k42_select(advisor->interface_, traits, &to) >= 0) {
        k42_copy_text(change->to, sizeof change->to, to->name);
        if (mode == ADVISOR_ON && attention_heat(one) && advisor->carry_out) {
            do_now(one, change);
            return;
        }
        if (mode == ADVISOR_ON && one->hot && ask(one, change, to))
            return;
        if (mode == ADVISOR_ADVISE && !k42_text_equal(change->from, change->to))
            say(one, change, ADVISOR_ADVISED, 0);
    }
    heap_free(change);
    advice_declined(case_advice(one));
    case_let_be(one);
}

void change_return(struct advice_case *one, const struct look *look, enum advisor_deed deed) {
    const struct advisor *advisor = case_advisor(one);
    struct change *change = begin(one, look, deed);
    struct k42_class *to = k42_class_find(one->was);
    bool may = change && advisor_mode_of(advisor) == ADVISOR_ON && attention_heat(one);
    if (may && advisor->carry_out) {
        do_now(one, change);
        return;
    }
    if (!to && k42_select(advisor->interface_, advisor->plain, &to) < 0)
        to = NULL;
    if (may && ask(one, change, to))
        return;
    heap_free(change);
    advice_returned(case_advice(one), false);
    attention_cool(one);
}
