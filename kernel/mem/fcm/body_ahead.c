/*
 * Pages begun before anybody wants them.
 *
 * They are claimed one by one and asked for in runs: several pages of one request to the FR, as far
 * as it can do that. A page is this call's from its claim until the FR has it, and goes at once
 * when the FR does not take it. Whoever wants one meanwhile waits for it as for any other; what was
 * cut off meanwhile (its size, too, is looked at after the claims) goes when it is settled.
 *
 * Nothing here is needed by anybody: it ends as soon as memory is short or the FR is full.
 */
#include "body.h"

/* Pages that were claimed and are not asked for. */
static void give_up(struct body *body, uint64_t first, uint64_t end) {
    for (; first < end; first++)
        fcm_body_remove(body, first);
}

/* Claims up to a run of absent pages from *first on, skipping those that are there. -EEXIST: none
 * is absent before `end`; an error: no more can be had, but what was claimed. */
static k42_result claim_run(struct body *body, uint64_t *first, uint64_t wanted, uint64_t end,
                            struct fr_run *run) {
    k42_result result = -EEXIST;
    run->count = 0;
    while (run->count < FR_RUN_PAGES && *first + run->count < end) {
        uint64_t next = *first + run->count;
        result = fcm_body_claim(body, next, next < wanted ? BODY_WANTED : 0);
        if (result == -EEXIST && !run->count) {
            ++*first;
            continue;
        }
        if (!result)
            result = fcm_body_find_frame(body, next, PM_TRY, &run->physical[run->count]);
        if (result)
            break;
        run->count++;
    }
    return run->count ? 0 : result;
}

/* Each page by itself, from an FR that takes no runs. Returns how many. */
static uint32_t ask_each(struct body *body, const struct fr_run *run) {
    for (uint32_t i = 0; i < run->count; i++) {
        k42_result result = fcm_body_ask(body, run->index + i, run->physical[i]);
        if (result == -K42_WAIT)
            return i;
        if (result < 0)
            fcm_body_fail(body, run->index + i);
        if (!result)
            (void)fcm_body_settle(body, run->index + i, 0);
    }
    return run->count;
}

/* Returns how many pages are on their way or there; the others are absent. */
static uint32_t ask(struct body *body, struct fr_run *run) {
    uint64_t size = fcm_body_bytes(body), start = run->index << PAGE_SHIFT;
    uint64_t left = size > start ? size - start : 0;
    uint64_t reached = (left + PAGE_BYTES - 1) >> PAGE_SHIFT;
    uint32_t claimed = run->count;
    run->fcm = k42_root_ref(&body->root);
    run->count = reached < claimed ? (uint32_t)reached : claimed;
    run->bytes = left < run->count * PAGE_BYTES ? left : run->count * PAGE_BYTES;
    k42_result result = run->count > 1 ? k42_call(body->its.fr, fill_run, run) : -ENOTSUP;
    if (result > 0)
        fcm_body_count(&body->its.counts.requests, 1);
    if (result == -ENOTSUP)
        result = ask_each(body, run);
    uint32_t taken = result > 0 ? (uint32_t)result : 0;
    give_up(body, run->index + taken, run->index + claimed);
    return taken;
}

uint64_t fcm_body_begin(struct body *body, uint64_t first, uint64_t wanted, uint64_t end) {
    while (first < end) {
        struct fr_run run = {.index = first};
        k42_result result = claim_run(body, &first, wanted, end, &run);
        if (result)
            break;
        run.index = first;
        uint32_t claimed = run.count, taken = ask(body, &run);
        first += taken;
        if (taken < claimed)
            break;
    }
    return first;
}

/* ---- after a page that was absent ---- */

enum { AHEAD_FIRST = 4, AHEAD_MOST = 32 };

/* Twice as much each time. Races between readers only spoil the guess. */
void fcm_body_read_ahead(struct body *body, uint64_t index) {
    uint32_t window = __atomic_load_n(&body->its.read_ahead, __ATOMIC_RELAXED);
    bool in_order = __atomic_load_n(&body->its.read_next, __ATOMIC_RELAXED) == index;
    fcm_body_count(&body->its.counts.in_order, in_order);
    window = !in_order ? 0 : window ? window * 2 : AHEAD_FIRST;
    window = window < AHEAD_MOST ? window : AHEAD_MOST;
    __atomic_store_n(&body->its.read_ahead, window, __ATOMIC_RELAXED);
    uint64_t next = fcm_body_begin(body, index + 1, 0, index + 1 + window);
    __atomic_store_n(&body->its.read_next, next, __ATOMIC_RELAXED);
}

/* ---- what a program says of pages ---- */

uint64_t fcm_body_let_go(struct body *body, uint64_t first, uint64_t end, uint64_t but) {
    uint64_t gone = 0;
    for (uint64_t *slot; (slot = page_tree_next(&body->its.tree, &first)) && first < end; first++)
        gone += !(page_load(slot) & but) && fcm_body_evict(body, slot, first);
    return gone;
}

k42_result fcm_body_advise(struct fcm *self, uint64_t first, uint64_t pages,
                           enum fcm_advice advice) {
    struct body *body = BODY(self);
    uint64_t last = fcm_body_end(body), end = pages < last ? first + pages : last;
    if (advice == FCM_NEEDED)
        return -ENOTSUP;
    if (!fcm_body_has_fr(body) || first >= last)
        return 0;
    end = end < last ? end : last;
    return (k42_result)(advice == FCM_WANTED ? fcm_body_begin(body, first, 0, end) - first
                                             : fcm_body_let_go(body, first, end, PAGE_MAPPED));
}
