/*
 * The page manager that the pages of a file are charged to and asked for by: changing it.
 *
 * Owns nothing. Locking: none; see fcm_body_manage(). Fails: -ENOMEM, -ENXIO; then the new PM has
 * some of the pages, and to ask again goes on.
 */
#include "body.h"

/* Held, a page stays and its frame with it, whatever becomes of it otherwise. */
static bool hold(uint64_t *slot, uint64_t *word) {
    *word = page_load(slot);
    do {
        if ((*word & (PAGE_PRESENT | PAGE_LEAVING)) != PAGE_PRESENT ||
            page_holds(*word) == PAGE_HOLDS_MAX)
            return false;
    } while (!page_change(slot, word, *word + PAGE_HOLD));
    return true;
}

/* Puts a frame on the bill of another PM, beyond its limit if need be: it gives back until it keeps
 * to that. Who exchanges the record's word is the one who takes the charge off the bill it was on,
 * so that is done once for each, also by two who do this at the same time. */
static k42_result charge_to(pm_ref pm, uint64_t physical) {
    struct frame *frame = frame_at(physical);
    if (frame->user[0] == k42_id_of(pm))
        return 0;
    k42_result charged = k42_call(pm, take, 0, PM_CHARGE | PM_URGENT).result;
    if (charged)
        return charged;
    k42_id before = (k42_id)__atomic_exchange_n(&frame->user[0], k42_id_of(pm), __ATOMIC_ACQ_REL);
    (void)!k42_call((pm_ref)k42_id_ref(before), give, 0, 0, PM_CHARGE); /* unless it is gone */
    return 0;
}

static k42_result hand_over(struct body *body, pm_ref pm) {
    k42_result result = 0;
    uint64_t word;
    for (uint64_t *slot, at = 0; !result && (slot = page_tree_next(&body->its.tree, &at)); at++) {
        if (!hold(slot, &word))
            continue;
        result = charge_to(pm, page_physical(word));
        if (!result)
            result = k42_call(pm, came, k42_root_ref(&body->root), at);
        fcm_body_drop(body, at, 0);
    }
    return result == -K42_STALE ? -ENXIO : result;
}

/*
 * The new one knows this FCM before it gets pages, the old one until it has none of them to tell
 * of. A page that comes meanwhile is told to one of the two; one that the old PM knows and asks for
 * later is let go of as well, or is not there, and then that PM forgets it. A page that is on its
 * way, or leaves just now, may stay on the old one's bill.
 */
k42_result fcm_body_manage(struct fcm *self, k42_ref pm) {
    struct body *body = BODY(self);
    k42_ref id = k42_root_ref(&body->root), old = (k42_ref)fcm_body_pm(body);
    if (pm != old) {
        k42_result result = k42_call((pm_ref)pm, enlist, id);
        if (result)
            return result == -K42_STALE ? -ENXIO : result;
        old = __atomic_exchange_n((k42_ref *)(void *)&body->its.pm, pm, __ATOMIC_ACQ_REL);
        if (__atomic_exchange_n(&body->its.enlisted, fcm_body_id(body), __ATOMIC_ACQ_REL)) {
            result = k42_call((pm_ref)old, delist, id);
            (void)result; /* the PM may have gone before */
        }
    }
    return hand_over(body, (pm_ref)pm);
}
