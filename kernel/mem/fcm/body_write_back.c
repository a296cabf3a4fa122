/*
 * A page's way to the FR.
 *
 * Writing back begins by one compare-and-swap, of a page that is dirty and that nobody holds, to
 * clean and being written; then the page is made read-only wherever it is mapped, and only then
 * the FR gets it. What programs wrote until they were stopped is in the frame; what they want to
 * write afterwards makes them ask, and the page dirty again, to be written once more. Such a page
 * may change while the FR writes it: the FR then has some of both, and gets it again.
 *
 * A sync marks what is dirty when it comes, and is over when all of that has been written since,
 * whatever became dirty later: so it ends under writers who do not. The request's number tells a
 * sync that comes from one that comes back (the oldest of more than eight at once marks again).
 *
 * A page that could not be written is clean, and the next sync says so: nobody could do better by
 * trying for ever, and memory is not filled up by what cannot leave.
 *
 * One that was adopted (fcm.adopt: a private page of a program, on its way to the swap) is
 * different until it has been written once: it is nowhere else, and what the FR has in its place is
 * somebody else's. So it is PAGE_SOLE until then, and when writing it fails it stays dirty, and is
 * stuck: who wants memory leaves it alone, and does not wait for it; it is tried again by a sync
 * and whenever all that is dirty is.
 */
#include "body.h"

/* ---- one page ---- */

static bool begin(uint64_t *slot) {
    uint64_t word = page_load(slot);
    do {
        if (page_holds(word) ||
            (word & (PAGE_PRESENT | PAGE_DIRTY)) != (PAGE_PRESENT | PAGE_DIRTY) ||
            word & (PAGE_WRITING | PAGE_LEAVING))
            return false;
    } while (
        !page_change(slot, &word, (word & ~(uint64_t)(PAGE_DIRTY | PAGE_SYNC)) | PAGE_WRITING));
    return true;
}

/* The page is not being written any more. */
static void end(struct body *body, uint64_t *slot, uint64_t index, uint64_t remove, uint64_t add) {
    uint64_t word = page_load(slot);
    while (!page_change(slot, &word, (word & ~(remove | PAGE_WRITING)) | add))
        ;
    fcm_body_tell(body, index);
}

/* It has been written, and is somewhere else from now on; or it could not be. Nobody but its writer
 * changes what it is to the FR meanwhile. */
static void finish(struct body *body, uint64_t *slot, uint64_t index, k42_result result) {
    bool sole = page_load(slot) & PAGE_SOLE;
    if (result < 0)
        __atomic_store_n(&body->its.failure, (int32_t)result, __ATOMIC_RELAXED);
    if (result < 0 && sole) {
        end(body, slot, index, 0, PAGE_DIRTY | PAGE_STUCK);
        fcm_body_note_dirty(body);
    } else {
        end(body, slot, index, PAGE_SOLE | PAGE_STUCK, 0);
    }
}

/* -K42_WAIT leaves the page dirty. */
static k42_result ask_fr(struct body *body, uint64_t index, uint64_t physical) {
    struct fr_page page = {.fcm = k42_root_ref(&body->root),
                           .index = index,
                           .physical = physical,
                           .bytes = fcm_body_bytes_in(body, index)};
    return page.bytes && fcm_body_has_fr(body) ? k42_call(body->its.fr, write, &page) : 0;
}

k42_result fcm_body_write_back(struct body *body, uint64_t *slot, uint64_t index) {
    if (!begin(slot))
        return -EBUSY;
    uint64_t word = page_load(slot);
    k42_result result = word & PAGE_MAPPED ? fcm_body_protect(body, index, index + 1) : 0;
    if (!result)
        result = ask_fr(body, index, page_physical(word));
    if (result == FR_STARTED)
        return 0;
    if (result == -K42_WAIT || result == -ENOMEM) {
        end(body, slot, index, 0, PAGE_DIRTY | PAGE_SYNC);
        return result;
    }
    finish(body, slot, index, result);
    return 0;
}

k42_result fcm_body_written(struct fcm *self, uint64_t index, k42_result result) {
    struct body *body = BODY(self);
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    if (!slot || !(page_load(slot) & PAGE_WRITING))
        return -EINVAL;
    finish(body, slot, index, result);
    return 0;
}

/* ---- everything ---- */

/* What is left dirty, and what becomes so behind the walk, is noted for the next time. */
void fcm_body_write_back_all(struct body *body) {
    if (!fcm_body_has_fr(body) || !__atomic_exchange_n(&body->its.dirtied, 0, __ATOMIC_ACQ_REL))
        return;
    for (uint64_t *slot, at = 0; (slot = page_tree_next(&body->its.tree, &at)); at++) {
        if (!(page_load(slot) & PAGE_DIRTY))
            continue;
        k42_result result = fcm_body_write_back(body, slot, at);
        if (result)
            fcm_body_note_dirty(body);
        if (result == -K42_WAIT)
            return;
    }
}

/* ---- a range ---- */

/* True when this request is not known yet; it is from now on. */
static bool is_new(struct body *body, uint64_t request) {
    k42_lock(&body->lock);
    bool new_ = true;
    for (unsigned i = 0; i < BODY_SYNCS; i++)
        new_ = new_ && body->its.syncs[i] != request;
    if (new_)
        body->its.syncs[body->its.next_sync++ % BODY_SYNCS] = request;
    k42_unlock(&body->lock);
    return new_;
}

static void forget(struct body *body, uint64_t request) {
    k42_lock(&body->lock);
    for (unsigned i = 0; i < BODY_SYNCS; i++)
        if (body->its.syncs[i] == request)
            body->its.syncs[i] = 0;
    k42_unlock(&body->lock);
    wait_request_end();
}

static void mark(struct body *body, uint64_t first, uint64_t end) {
    for (uint64_t *slot, at = first; (slot = page_tree_next(&body->its.tree, &at)) && at < end;
         at++) {
        uint64_t word = page_load(slot);
        while (word & PAGE_DIRTY && !page_change(slot, &word, word | PAGE_SYNC))
            ;
    }
}

/* A page somebody holds, or that is being written: to be waited for. The flag is there before the
 * second look at the holds, so the last of them tells. */
static bool is_in_the_way(uint64_t *slot) {
    uint64_t word = page_load(slot);
    do {
        if (!(word & (PAGE_SYNC | PAGE_WRITING)) || word & PAGE_LEAVING)
            return false;
    } while (!page_change(slot, &word, word | PAGE_AWAITED));
    return true;
}

/* Writes what is marked. 0: all of it has been; or an error, or -K42_WAIT for a page. */
static k42_result write_marked(struct body *body, uint64_t first, uint64_t end) {
    uint64_t in_the_way = ~0ul;
    for (uint64_t *slot, at = first; (slot = page_tree_next(&body->its.tree, &at)) && at < end;
         at++) {
        k42_result result =
            page_load(slot) & PAGE_SYNC ? fcm_body_write_back(body, slot, at) : -EBUSY;
        if (result && result != -EBUSY)
            return result;
        if (is_in_the_way(slot))
            in_the_way = at;
    }
    return in_the_way == ~0ul ? 0 : fcm_body_wait(body, in_the_way);
}

static k42_result make_durable(struct body *body) {
    k42_result result = k42_call(body->its.fr, flush);
    return result == -K42_STALE ? -EIO : result;
}

k42_result fcm_body_sync(struct fcm *self, uint64_t first, uint64_t pages, unsigned durable) {
    struct body *body = BODY(self);
    uint64_t end = pages < PAGE_NUMBERS - first ? first + pages : PAGE_NUMBERS;
    if (first >= PAGE_NUMBERS || !fcm_body_has_fr(body))
        return 0;
    uint64_t request = wait_request();
    if (is_new(body, request))
        mark(body, first, end);
    k42_result result = write_marked(body, first, end);
    if (!result && durable)
        result = make_durable(body);
    if (result == -K42_WAIT)
        return result;
    forget(body, request);
    int32_t failure = __atomic_exchange_n(&body->its.failure, 0, __ATOMIC_RELAXED);
    return result ? result : failure;
}
