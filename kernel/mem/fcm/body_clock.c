/*
 * Giving pages back when memory is short: a clock goes round the pages. One that was used since it
 * last came by, by call or by a program, is let be, as is one that could not be written and is
 * nowhere else; one that is dirty is written back; any other goes. Ranges of which all stays are
 * stepped over.
 */
#include "body.h"

/* At most so many pages are looked at for each that is wanted, and some more. */
enum { LOOKS_PER_FRAME = 8, LOOKS_LEAST = 64 };

/* The clock comes by: true when the page may go. */
static bool is_let_be(struct body *body, uint64_t *slot, uint64_t index) {
    uint64_t word = page_load(slot);
    if (page_holds(word) || word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING | PAGE_STUCK))
        return true;
    if (word & PAGE_FRESH && wait_anybody(fcm_body_id(body), index))
        return true;
    if (word & PAGE_MAPPED && fcm_body_stays_until(body, index, FCM_MAPPED_STAY))
        return true;
    if (word & (PAGE_USED | PAGE_FRESH)) {
        (void)page_change(slot, &word, word & ~(uint64_t)(PAGE_USED | PAGE_FRESH));
        return true;
    }
    return word & PAGE_MAPPED && fcm_body_was_accessed(body, index);
}

static unsigned come_by(struct body *body, uint64_t *slot, uint64_t index) {
    if (is_let_be(body, slot, index))
        return 0;
    if (!(page_load(slot) & PAGE_DIRTY))
        return fcm_body_evict(body, slot, index);
    k42_result result = fcm_body_write_back(body, slot, index);
    /* An FR that is done at once leaves a page that can go. */
    return !result && fcm_body_evict(body, slot, index);
}

k42_result fcm_body_give_back(struct fcm *self, uint64_t wanted) {
    struct body *body = BODY(self);
    uint64_t at = __atomic_load_n(&body->its.hand, __ATOMIC_RELAXED), freed = 0, until, *slot;
    uint64_t looks = wanted > PAGE_NUMBERS ? PAGE_NUMBERS : wanted * LOOKS_PER_FRAME + LOOKS_LEAST;
    unsigned rounds = 0;
    if (!wanted)
        fcm_body_write_back_all(body);
    while (freed < wanted && looks-- && rounds < 3) {
        slot = page_tree_next(&body->its.tree, &at);
        until = slot ? fcm_body_stays_until(body, at, FCM_ALL_STAY) : 0;
        if (until) {
            at = until;
        } else if (slot) {
            freed += come_by(body, slot, at++);
        } else {
            at = 0;
            rounds++;
        }
    }
    __atomic_store_n(&body->its.hand, at, __ATOMIC_RELAXED);
    return (k42_result)freed;
}
