/*
 * A page's way out of every address space, and out of memory when that is short.
 *
 * Eviction takes a page that nobody holds and that is clean, marks it as leaving by one
 * compare-and-swap, takes it out of every address space and frees it, all in one call: so whoever
 * meets such a page waits for something that happens. It is marked as evicted, too, so that
 * clearing (body_clear.c) leaves the rest to who marked it. One whose block is just being mapped
 * (body_block.c) stays.
 *
 * Why nothing stays mapped. A mapping is made between get_page and mapped, under a hold; a page
 * that is leaving gives no more holds. So when it has none, all mappings there will ever be exist,
 * and lie within attachments that were there then: those that are found now, or have been taken
 * away together with their mappings. The same holds of a mapping of the page's whole block, which
 * is made under a hold of its first page.
 */
#include "body_block.h"

/* ---- every address space ---- */

/* Where pages [first, end) lie in an attachment. */
static uintptr_t part_of(const struct fcm_attachment *in, uint64_t first, uint64_t end,
                         size_t *length) {
    uint64_t from = first > in->first ? first : in->first;
    uint64_t to = end < in->first + in->pages ? end : in->first + in->pages;
    *length = (to - from) << PAGE_SHIFT;
    return in->address + ((from - in->first) << PAGE_SHIFT);
}

/*
 * Calls act for each attachment that covers any of the pages, until it is not 0. The lock is not
 * held meanwhile: one that is detached has no mappings left, and its HAT may be gone.
 *
 * The order is that in which they came, those that come meanwhile included. A fork attaches the
 * child and then shares the parent's mappings with it. So whoever may have given mappings to others
 * comes before them: either its mapping went before it was shared, or it is found in the child,
 * too.
 */
static k42_result each_mapping(struct body *body, uint64_t first, uint64_t end,
                               k42_result (*act)(const struct fcm_attachment *in, uintptr_t address,
                                                 size_t length)) {
    struct attachments_found found;
    uint64_t after = 0;
    do {
        k42_lock(&body->lock);
        attachments_next(&body->its.attachments, after, first, end, &found);
        k42_unlock(&body->lock);
        for (unsigned i = 0; i < found.count; i++) {
            size_t length;
            uintptr_t address = part_of(&found.what[i], first, end, &length);
            k42_result result = act(&found.what[i], address, length);
            if (result)
                return result;
            after = found.numbers[i];
        }
    } while (found.count);
    return 0;
}

static k42_result unmap_there(const struct fcm_attachment *in, uintptr_t address, size_t length) {
    k42_result result = k42_call((hat_ref)in->hat, unmap, address, length);
    return result >= 0 || result == -K42_STALE ? 0 : result;
}

static k42_result release_there(const struct fcm_attachment *in, uintptr_t address, size_t length) {
    k42_result result = k42_call((hat_ref)in->hat, release, address, length);
    return result >= 0 || result == -K42_STALE ? 0 : result;
}

static k42_result protect_there(const struct fcm_attachment *in, uintptr_t address, size_t length) {
    if (!in->writable)
        return 0;
    k42_result result =
        k42_call((hat_ref)in->hat, protect, address, length, HAT_READ | HAT_EXECUTE);
    return result >= 0 || result == -K42_STALE ? 0 : result;
}

static k42_result look_there(const struct fcm_attachment *in, uintptr_t address, size_t length) {
    (void)length;
    k42_result seen = k42_call((hat_ref)in->hat, look, address);
    return seen > 0 && seen & HAT_ACCESSED ? seen : 0;
}

k42_result fcm_body_unmap(struct body *body, uint64_t first, uint64_t end) {
    return each_mapping(body, first, end, unmap_there);
}

k42_result fcm_body_cut(struct body *body, uint64_t first) {
    return each_mapping(body, first, PAGE_NUMBERS, release_there);
}

k42_result fcm_body_protect(struct body *body, uint64_t first, uint64_t end) {
    return each_mapping(body, first, end, protect_there);
}

bool fcm_body_was_accessed(struct body *body, uint64_t index) {
    k42_result seen = each_mapping(body, index, index + 1, look_there);
    if (seen & HAT_OF_BLOCK)
        fcm_body_use_block(body, index);
    return seen != 0;
}

/* ---- evicting ---- */

/*
 * An attachment that makes pages stay is counted under the lock, and its pages are got after that.
 * So whoever marks a page as leaving and finds nothing counted then comes before it was got, and
 * who wants it waits and fills it again.
 */
uint64_t fcm_body_stays_until(struct body *body, uint64_t index, enum fcm_stays how) {
    if (!__atomic_load_n(&body->its.attachments.staying, __ATOMIC_RELAXED))
        return 0;
    k42_lock(&body->lock);
    uint64_t until = attachments_stay_until(&body->its.attachments, index, how);
    k42_unlock(&body->lock);
    return until;
}

static bool has_to_stay(struct body *body, uint64_t index, uint64_t word) {
    return fcm_body_stays_until(body, index, word & PAGE_MAPPED ? FCM_MAPPED_STAY : FCM_ALL_STAY) !=
           0;
}

bool fcm_body_evict(struct body *body, uint64_t *slot, uint64_t index) {
    uint64_t word = page_load(slot);
    do {
        if (page_holds(word) || !(word & PAGE_PRESENT) ||
            word & (PAGE_DIRTY | PAGE_WRITING | PAGE_LEAVING))
            return false;
    } while (!page_change(slot, &word, word | PAGE_LEAVING | PAGE_EVICTED));
    if (fcm_body_block_is_held(body, index, word) || has_to_stay(body, index, word) ||
        (word & PAGE_MAPPED && fcm_body_unmap(body, index, index + 1))) {
        (void)__atomic_fetch_and(slot, ~(uint64_t)(PAGE_LEAVING | PAGE_EVICTED), __ATOMIC_SEQ_CST);
        fcm_body_tell(body, index);
        return false;
    }
    fcm_body_remove(body, index);
    fcm_body_count(&body->its.counts.evicted, 1);
    return true;
}

/* Makes a dirty page a clean one without writing it; false: it is not free to go. */
static bool forget_changes(uint64_t *slot) {
    uint64_t word = page_load(slot);
    do {
        if (page_holds(word) || word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING))
            return false;
    } while (!page_change(slot, &word, word & ~(PAGE_DIRTY | PAGE_SYNC | PAGE_SOLE | PAGE_STUCK)));
    return true;
}

/* Whether a page that is to go has to stay: it is dirty, and not written at once. */
static bool has_to_be_written(struct body *body, uint64_t *slot, uint64_t index) {
    uint64_t word = page_load(slot);
    return word & PAGE_DIRTY && (word & PAGE_STUCK || fcm_body_write_back(body, slot, index));
}

/* Whether the use of a page lets it go: 0, or what to answer. */
static k42_result look_at_use(struct body *body, uint64_t *slot, uint64_t index, unsigned flags) {
    uint64_t word = page_load(slot);
    if (page_holds(word) || word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING))
        return -EBUSY;
    if ((word & PAGE_FRESH && wait_anybody(fcm_body_id(body), index)) ||
        has_to_stay(body, index, word))
        return -EBUSY;
    if (word & PAGE_FRESH && !(flags & FCM_LEAVE_UNUSED))
        return FCM_NOT_USED;
    if (flags & FCM_LEAVE_USED)
        return 0;
    bool used = word & PAGE_USED;
    if (used)
        (void)page_change(slot, &word, word & ~(uint64_t)PAGE_USED);
    if (word & PAGE_MAPPED && fcm_body_was_accessed(body, index))
        used = true;
    return used ? FCM_WAS_USED : 0;
}

k42_result fcm_body_leave(struct fcm *self, uint64_t index, unsigned flags) {
    struct body *body = BODY(self);
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    if (!slot || !page_load(slot))
        return -ENOENT;
    k42_result result = look_at_use(body, slot, index, flags);
    if (result)
        return result;
    if (flags & FCM_LEAVE_DIRTY && !forget_changes(slot))
        return -EBUSY;
    if (has_to_be_written(body, slot, index))
        return -EBUSY;
    return fcm_body_evict(body, slot, index) ? FCM_HAS_LEFT : -EBUSY;
}
