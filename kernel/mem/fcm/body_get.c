/*
 * A page's way in: found, or claimed, given a frame, filled (body_fill.c), and given to who asked.
 *
 * A page that is present is given by a walk and one compare-and-swap, which adds a hold. Eviction
 * and write-back begin by a compare-and-swap of the same word that requires that nobody holds the
 * page, so of the two exactly one happens first. A page given for writing becomes dirty by the same
 * swap that adds the hold; write-back clears that only when there is no hold, so whatever is mapped
 * writable is either dirty or will be made read-only by the write-back under way.
 *
 * Of those who want an absent page one claims it, under the lock, and fills it; the others wait for
 * it. The claim is a page of its own right: resize() may mark it as leaving, and then whoever fills
 * it removes it at the end.
 *
 * Cost of a hit, get_page and mapped together: see docs/file-pages.md.
 */
#include "body.h"

/* ---- holding ---- */

/* Adds a hold to a page that is present, which counts as used when it is not the first. False: it
 * is not, `*word` says what it is. */
static inline bool take(struct body *body, uint64_t *slot, uint64_t *word, unsigned flags) {
    uint64_t write = flags & FCM_WRITE ? PAGE_DIRTY : 0, add;
    *word = page_load(slot);
    for (;;) {
        if ((*word & (PAGE_PRESENT | PAGE_LEAVING)) != PAGE_PRESENT ||
            __builtin_expect(page_holds(*word) == PAGE_HOLDS_MAX, 0))
            return false;
        add = write | (*word & PAGE_FRESH ? 0 : PAGE_USED);
        if (page_change(slot, word, ((*word | add) & ~(uint64_t)PAGE_FRESH) + PAGE_HOLD))
            break;
        fcm_body_met(body);
    }
    *word |= add;
    return true;
}

/* The last hold of a page that somebody waits for. */
static void drained(struct body *body, uint64_t index, uint64_t word) {
    if (!page_holds(word) && word & (PAGE_LEAVING | PAGE_AWAITED))
        fcm_body_tell(body, index);
}

/* Takes a hold away and adds flags. False: there was none. */
static inline bool drop(struct body *body, uint64_t index, uint64_t flags) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    uint64_t to;
    do {
        if (!page_holds(word))
            return false;
        to = (word | flags) - PAGE_HOLD;
        if (!page_holds(to))
            to &= ~(uint64_t)PAGE_AWAITED;
    } while (!page_change(slot, &word, to));
    if (__builtin_expect(word & (PAGE_LEAVING | PAGE_AWAITED), 0))
        drained(body, index, word - PAGE_HOLD);
    return true;
}

void fcm_body_drop(struct body *body, uint64_t index, uint64_t flags) {
    (void)drop(body, index, flags);
}

k42_result fcm_body_put_page(struct fcm *self, uint64_t index) {
    return drop(BODY(self), index, 0) ? 0 : -EINVAL;
}

k42_result fcm_body_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    struct body *body = BODY(self);
    k42_result result = 0;
    for (; mask; mask &= mask - 1)
        if (!drop(body, first + (unsigned)__builtin_ctz(mask), PAGE_MAPPED))
            result = -EINVAL;
    return result;
}

/* ---- absent pages ---- */

/* A hint, without the lock: who is told wrongly that it is not looks again before he sleeps. */
static bool is_cleared(const struct body *body, uint64_t index) {
    return index >= __atomic_load_n(&body->its.clear.first, __ATOMIC_RELAXED) &&
           index < __atomic_load_n(&body->its.clear.end, __ATOMIC_RELAXED);
}

/* Under the lock: true when this is who is told that the page could not be filled, and it is absent
 * now. Marked as evicted first, so that whoever clears the range leaves it alone. */
static bool collect_failure(struct body *body, uint64_t *slot, uint64_t index, uint64_t word) {
    if (!(word & PAGE_FAILED) || word & PAGE_LEAVING ||
        !page_change(slot, &word, word | PAGE_LEAVING | PAGE_EVICTED))
        return false;
    page_tree_remove(&body->its.tree, index);
    return true;
}

/* The page in which the file ends is not begun to be filled while somebody moves the end, but by
 * him: the FR is told how much of it belongs to the file. */
static bool is_moving_end(const struct body *body, uint64_t index, unsigned flags) {
    uint64_t size = fcm_body_bytes(body);
    return __atomic_load_n(&body->exclusive, __ATOMIC_RELAXED) && !(flags & BODY_BEYOND) &&
           size & (PAGE_BYTES - 1) && index == size >> PAGE_SHIFT;
}

/* Under the lock. */
static k42_result claim(struct body *body, uint64_t index, unsigned flags) {
    if (index >= PAGE_NUMBERS || (!(flags & BODY_BEYOND) && index >= fcm_body_end(body)))
        return -ENXIO;
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    if (word)
        return collect_failure(body, slot, index, word) ? -EIO : -EEXIST;
    if (flags & FCM_CACHED)
        return -ENOENT;
    if (is_cleared(body, index))
        return -EAGAIN;
    if (is_moving_end(body, index, flags))
        return -EBUSY;
    slot = page_tree_place(&body->its.tree, index);
    if (!slot)
        return -ENOMEM;
    page_tree_add(&body->its.tree, slot, index,
                  PAGE_FILLING | (flags & BODY_WANTED ? PAGE_FRESH : 0));
    fcm_body_count(flags & BODY_WANTED ? &body->its.counts.misses : &body->its.counts.ahead, 1);
    if (flags & BODY_WANTED)
        advisor_note(fcm_body_id(body));
    return 0;
}

/* Nobody may be left to clear what he began to clear: whoever is in the way of it does so. */
static k42_result help_clearing(struct body *body) {
    k42_result result = fcm_body_exclude(body);
    if (result)
        return result;
    result = fcm_body_clear_step(body);
    fcm_body_admit(body);
    return result;
}

k42_result fcm_body_claim(struct body *body, uint64_t index, unsigned flags) {
    for (;;) {
        fcm_body_lock(body);
        k42_result result = claim(body, index, flags);
        k42_unlock(&body->lock);
        if (result == -EBUSY)
            return fcm_body_wait(body, FCM_KEY_EXCLUSIVE);
        if (result != -EAGAIN)
            return result;
        result = help_clearing(body);
        if (result)
            return result;
    }
}

static void give_frame(struct body *body, uint64_t index, uint64_t word) {
    uint64_t physical = page_physical(word);
    if (!physical ||
        (!(word & PAGE_PRESENT) && body->frames && body->frames->give(body, index, physical)))
        return;
    k42_result told = k42_call(fcm_body_pm(body), left, k42_root_ref(&body->root), index);
    (void)told; /* the PM may have gone before */
    fcm_body_give_frame(body, physical);
}

void fcm_body_remove(struct body *body, uint64_t index) {
    fcm_body_lock(body);
    uint64_t word = page_load(page_tree_find(&body->its.tree, index));
    page_tree_remove(&body->its.tree, index);
    k42_unlock(&body->lock);
    give_frame(body, index, word);
    WAIT_BARRIER();
    fcm_body_tell(body, index);
}

/* With its first page, an FCM becomes one that can give pages back. */
static void enlist(struct body *body) {
    k42_id none = 0, id = fcm_body_id(body);
    if (__atomic_load_n(&body->its.enlisted, __ATOMIC_RELAXED) ||
        !__atomic_compare_exchange_n(&body->its.enlisted, &none, id, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    if (k42_call(fcm_body_pm(body), enlist, k42_id_ref(id)) < 0)
        __atomic_store_n(&body->its.enlisted, 0, __ATOMIC_RELEASE);
}

static k42_result take_frame(struct body *body, uint64_t index, unsigned flags,
                             uint64_t *physical) {
    *physical = body->frames ? body->frames->take(body, index) : 0;
    if (*physical) {
        if (flags & PM_ZERO)
            machine_zero_page(machine_memory(*physical));
        return 0;
    }
    pm_ref pm = fcm_body_pm(body);
    struct k42_pair taken = k42_call(pm, take, 0, flags);
    if (!taken.result)
        frame_at(taken.word)->user[0] = k42_id_of(pm);
    *physical = taken.word;
    return taken.result;
}

k42_result fcm_body_find_frame(struct body *body, uint64_t index, unsigned flags,
                               uint64_t *physical) {
    k42_result result = take_frame(body, index, flags, physical);
    if (result) {
        fcm_body_remove(body, index);
        return result;
    }
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = page_load(slot);
    while (!page_change(slot, &word, word | *physical))
        ;
    enlist(body);
    return 0;
}

bool fcm_body_settle(struct body *body, uint64_t index, uint64_t add) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = page_load(slot), to;
    do {
        if (word & PAGE_LEAVING) {
            fcm_body_remove(body, index);
            return false;
        }
        to = (word & ~(uint64_t)(PAGE_FILLING | (add ? PAGE_FRESH : 0))) | PAGE_PRESENT |
             (add ? 0 : PAGE_FRESH);
    } while (!page_change(slot, &word, to + add));
    k42_result told = k42_call(fcm_body_pm(body), came, k42_root_ref(&body->root), index);
    (void)told; /* a page that the PM does not know goes when it knows of nothing else */
    fcm_body_tell(body, index);
    return true;
}

/* Who waits for the page is to be told: a word without a frame says so to one of them. */
void fcm_body_fail(struct body *body, uint64_t index) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = page_load(slot);
    do {
        if (word & PAGE_LEAVING || !(word & PAGE_FRESH)) {
            fcm_body_remove(body, index);
            return;
        }
    } while (!page_change(slot, &word, PAGE_FAILED));
    give_frame(body, index, word);
    fcm_body_tell(body, index);
}

/* ---- pages from elsewhere ---- */

k42_result fcm_body_expect(struct fcm *self, uint64_t index) {
    return fcm_body_claim(BODY(self), index, 0);
}

k42_result fcm_body_adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    struct body *body = BODY(self);
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    if (!(word & PAGE_FILLING) || page_physical(word))
        return -EINVAL;
    if (!physical) {
        fcm_body_remove(body, index);
        return 0;
    }
    while (!page_change(slot, &word, word | physical))
        ;
    enlist(body);
    if (fcm_body_settle(body, index, PAGE_DIRTY | PAGE_SOLE))
        fcm_body_note_dirty(body);
    return 0;
}

/* ---- getting ---- */

k42_result fcm_body_await(struct body *body, uint64_t index) {
    fcm_body_count(&body->its.counts.waits, 1);
    return fcm_body_wait(body, index);
}

/* Fills what was just claimed and gives it, held. -EAGAIN: look again. */
static k42_result get_claimed(struct body *body, uint64_t index, unsigned flags, uint64_t *word) {
    uint64_t add = flags & FCM_WRITE ? PAGE_DIRTY : 0;
    k42_result result = fcm_body_fill(body, index);
    if (result < 0)
        return result;
    bool there = !result && fcm_body_settle(body, index, add + PAGE_HOLD);
    if (there)
        *word = page_load(page_tree_find(&body->its.tree, index));
    if (fcm_body_has_fr(body) && !(flags & BODY_BEYOND))
        fcm_body_read_ahead(body, index);
    if (result == FR_STARTED)
        return fcm_body_await(body, index);
    return there ? 0 : -EAGAIN;
}

static k42_result get_slowly(struct body *body, uint64_t index, unsigned flags, uint64_t *word) {
    for (;;) {
        k42_result result = fcm_body_claim(body, index, flags | BODY_WANTED);
        if (!result)
            result = get_claimed(body, index, flags, word);
        if (result != -EEXIST && result != -EAGAIN)
            return result;
        uint64_t *slot = page_tree_find(&body->its.tree, index);
        if (!slot)
            continue;
        if (take(body, slot, word, flags))
            return 0;
        if (page_holds(*word) == PAGE_HOLDS_MAX)
            return -ENOMEM;
        if (*word & PAGE_LEAVING && is_cleared(body, index) && (result = help_clearing(body)))
            return result;
        if (*word & PAGE_FILLING && !page_change(slot, word, *word | PAGE_FRESH))
            continue;
        if (*word & (PAGE_FILLING | PAGE_LEAVING))
            return fcm_body_await(body, index);
    }
}

/* A page that is there. The flag is noted for whoever writes back every few seconds. */
static inline __attribute__((always_inline)) bool hold_present(struct body *body, uint64_t index,
                                                               unsigned flags, uint64_t *word) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    if (__builtin_expect(!slot || !take(body, slot, word, flags), 0))
        return false;
    if (flags & FCM_WRITE)
        fcm_body_note_dirty(body);
    return true;
}

static __attribute__((noinline)) k42_result hold_slowly(struct body *body, uint64_t index,
                                                        unsigned flags, uint64_t *word) {
    k42_result result = get_slowly(body, index, flags, word);
    if (flags & FCM_WRITE)
        fcm_body_note_dirty(body);
    return result;
}

k42_result fcm_body_hold(struct body *body, uint64_t index, unsigned flags, uint64_t *word) {
    if (hold_present(body, index, flags, word))
        return 0;
    return hold_slowly(body, index, flags, word);
}

static k42_result describe_page(const struct body *body, uint64_t index, uint64_t word,
                                struct fcm_page *page) {
    page->physical = page_physical(word);
    page->order = 0;
    page->writable = word & PAGE_DIRTY || !fcm_body_has_fr(body);
    page->index = index;
    return 0;
}

static __attribute__((noinline)) k42_result get_page_slowly(struct body *body, uint64_t index,
                                                            unsigned flags, struct fcm_page *page) {
    uint64_t word;
    k42_result result = hold_slowly(body, index, flags & (FCM_WRITE | FCM_CACHED), &word);
    return result ? result : describe_page(body, index, word, page);
}

k42_result fcm_body_get_page(struct fcm *self, uint64_t index, unsigned flags,
                             struct fcm_page *page) {
    struct body *body = BODY(self);
    uint64_t word;
    if (__builtin_expect(hold_present(body, index, flags, &word), 1))
        return describe_page(body, index, word, page);
    return get_page_slowly(body, index, flags, page);
}

k42_result fcm_body_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                uint64_t *physical) {
    struct body *body = BODY(self);
    k42_result mask = 0;
    unsigned count = bytes / sizeof *physical;
    for (unsigned i = 0; i < count && i < 32; i++) {
        uint64_t word, *slot = page_tree_find(&body->its.tree, first + i);
        if (slot && take(body, slot, &word, 0)) {
            physical[i] = page_physical(word);
            mask |= 1l << i;
        }
    }
    return mask;
}
