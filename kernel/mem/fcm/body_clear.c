/*
 * Pages that are cut off, or made a hole, and the size that changes with them.
 *
 * Clearing a range (resize, punch, renew) marks every page of it, and frees those that are free to
 * go. Others are held, or on their way from or to the FR, or out (body_leave.c): the caller waits
 * for one of them and goes on later. What is being cleared is the FCM's state, not the caller's,
 * who may be killed: whoever needs a page of the range, or wants to change the size, goes on with
 * it (fcm_body_clear_step), and no page comes into being there before it is over. Then the FR is
 * told.
 *
 * What is cut off is gone for programs that have copies of their own, too. A copy is made, and
 * entered, while the page is held or mapped (region_private.c); so when no page is left, all copies
 * that there will be exist and are taken away.
 */
#include "body_block.h"

enum { PAGES_AT_ONCE = 64 };

/* ---- clearing ---- */

struct batch {
    unsigned count;
    bool mapped;
    uint64_t pages[PAGES_AT_ONCE];
};

static bool is_free_to_go(uint64_t word) {
    return !page_holds(word) && !(word & (PAGE_FILLING | PAGE_WRITING | PAGE_EVICTED));
}

/* Marks a page, unless it has just gone; returns its word. */
static uint64_t mark_page(uint64_t *slot) {
    uint64_t word = page_load(slot);
    while (word && !page_change(slot, &word, word | PAGE_LEAVING))
        ;
    return word;
}

/* Marks the next pages from *at on and collects those that can go. */
static void mark(struct body *body, uint64_t *at, uint64_t end, struct batch *batch,
                 uint64_t *in_the_way) {
    for (uint64_t *slot;
         batch->count < PAGES_AT_ONCE && (slot = page_tree_next(&body->its.tree, at)) && *at < end;
         ++*at) {
        uint64_t word = mark_page(slot);
        if (!word)
            continue;
        if (!is_free_to_go(word)) {
            *in_the_way = *at;
            continue;
        }
        if (fcm_body_block_is_awaited(body, *at, word)) {
            *in_the_way = *at - *at % BLOCK_PAGES;
            continue;
        }
        batch->mapped = batch->mapped || word & PAGE_MAPPED;
        batch->pages[batch->count++] = *at;
    }
}

static k42_result clear_pages(struct body *body, uint64_t first, uint64_t end) {
    uint64_t in_the_way = ~0ul, at = first;
    for (;;) {
        struct batch batch = {.count = 0};
        mark(body, &at, end, &batch, &in_the_way);
        if (!batch.count)
            break;
        k42_result result =
            batch.mapped ? fcm_body_unmap(body, batch.pages[0], batch.pages[batch.count - 1] + 1)
                         : 0;
        if (result)
            return result;
        for (unsigned i = 0; i < batch.count; i++)
            fcm_body_remove(body, batch.pages[i]);
    }
    return in_the_way == ~0ul ? 0 : fcm_body_wait(body, in_the_way);
}

/* The rest of the page in which the file ends now. */
static k42_result zero_last(struct body *body) {
    uint64_t size = fcm_body_bytes(body), word;
    size_t here = size & (PAGE_BYTES - 1);
    if (!here)
        return 0;
    k42_result result = fcm_body_hold(body, size >> PAGE_SHIFT, FCM_CACHED, &word);
    if (result)
        return result == -ENOENT || result == -EIO ? 0 : result;
    __builtin_memset(page_memory(word) + here, 0, PAGE_BYTES - here);
    fcm_body_drop(body, size >> PAGE_SHIFT, 0);
    return 0;
}

static k42_result tell_fr(struct body *body, const struct body_clear *clear) {
    if (!fcm_body_has_fr(body) || clear->why == CLEAR_RENEW)
        return 0;
    k42_result result =
        clear->why == CLEAR_RESIZE
            ? k42_call(body->its.fr, resize, fcm_body_bytes(body))
            : k42_call(body->its.fr, punch, clear->first, clear->end - clear->first);
    return result == -K42_STALE ? 0 : result;
}

/* The lock is held. Who only wants to know whether there is something looks without it. */
static void store_clear(struct body *body, struct body_clear clear) {
    __atomic_store_n(&body->its.clear.first, clear.first, __ATOMIC_RELAXED);
    body->its.clear.why = clear.why;
    __atomic_store_n(&body->its.clear.end, clear.end, __ATOMIC_RELAXED);
}

static void set_clear(struct body *body, struct body_clear clear) {
    k42_lock(&body->lock);
    store_clear(body, clear);
    k42_unlock(&body->lock);
}

k42_result fcm_body_clear_step(struct body *body) {
    struct body_clear clear = body->its.clear;
    if (clear.first == clear.end)
        return 0;
    k42_result result = clear_pages(body, clear.first, clear.end);
    if (!result && clear.why == CLEAR_RESIZE)
        result = fcm_body_cut(body, clear.first);
    if (!result && clear.why == CLEAR_RESIZE)
        result = zero_last(body);
    if (result)
        return result;
    result = tell_fr(body, &clear);
    if (result == -K42_WAIT)
        return result;
    set_clear(body, (struct body_clear){0, 0, CLEAR_HOLE});
    return result;
}

/* ---- the size ---- */

/* Pages are claimed under the lock, after a look at `exclusive`: either the claim is seen here, or
 * it is not made. */
k42_result fcm_body_end_settled(struct body *body) {
    uint64_t size = fcm_body_bytes(body), index = size >> PAGE_SHIFT;
    k42_lock(&body->lock);
    uint64_t *slot = size & (PAGE_BYTES - 1) ? page_tree_find(&body->its.tree, index) : NULL;
    uint64_t word = slot ? page_load(slot) : 0;
    k42_unlock(&body->lock);
    if (word & PAGE_FILLING)
        return fcm_body_wait(body, index);
    return word & PAGE_MAPPED ? zero_last(body) : 0;
}

void fcm_body_grow(struct body *body, uint64_t size) {
    k42_lock(&body->lock);
    __atomic_store_n(&body->its.size, size, __ATOMIC_RELEASE);
    k42_unlock(&body->lock);
}

static k42_result grow(struct body *body, uint64_t size) {
    k42_result result = fcm_body_end_settled(body);
    if (!result && fcm_body_has_fr(body))
        result = k42_call(body->its.fr, resize, size);
    if (!result)
        fcm_body_grow(body, size);
    return result;
}

/* Sets the size, and what is to be gone with it. */
static k42_result set_size(struct body *body, uint64_t size, struct body_clear clear) {
    k42_lock(&body->lock);
    __atomic_store_n(&body->its.size, size, __ATOMIC_RELEASE);
    store_clear(body, clear);
    k42_unlock(&body->lock);
    return fcm_body_clear_step(body);
}

static k42_result shrink(struct body *body, uint64_t size) {
    uint64_t end = (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
    return set_size(body, size, (struct body_clear){end, PAGE_NUMBERS, CLEAR_RESIZE});
}

k42_result fcm_body_resize(struct fcm *self, uint64_t size) {
    struct body *body = BODY(self);
    if (size > BODY_SIZE_MAX)
        return -EFBIG;
    k42_result result = fcm_body_exclude(body);
    if (result)
        return result;
    uint64_t before = fcm_body_bytes(body);
    result = fcm_body_clear_step(body);
    if (!result && size > before)
        result = grow(body, size);
    else if (!result && size < before)
        result = shrink(body, size);
    fcm_body_admit(body);
    return result;
}

/* A request that comes back has begun to clear already, and is over when that is. */
static k42_result renew(struct body *body, uint64_t size, uint64_t request) {
    k42_result result = fcm_body_clear_step(body);
    if (result || body->its.renewal == request)
        return result;
    body->its.renewal = request;
    return set_size(body, size, (struct body_clear){0, PAGE_NUMBERS, CLEAR_RENEW});
}

k42_result fcm_body_renew(struct fcm *self, uint64_t size) {
    struct body *body = BODY(self);
    if (size > BODY_SIZE_MAX)
        return -EFBIG;
    k42_result result = fcm_body_exclude(body);
    if (result)
        return result;
    result = renew(body, size, wait_request());
    fcm_body_admit(body);
    if (result != -K42_WAIT)
        wait_request_end();
    return result;
}

/* ---- holes ---- */

static k42_result zero_bytes(struct body *body, uint64_t offset, uint64_t length) {
    uint64_t word;
    if (!length)
        return 0;
    unsigned flags = FCM_WRITE | BODY_BEYOND | (fcm_body_has_fr(body) ? 0 : FCM_CACHED);
    k42_result result = fcm_body_hold(body, offset >> PAGE_SHIFT, flags, &word);
    if (result)
        return result == -ENOENT ? 0 : result;
    __builtin_memset(page_memory(word) + (offset & (PAGE_BYTES - 1)), 0, length);
    fcm_body_drop(body, offset >> PAGE_SHIFT, 0);
    return 0;
}

static k42_result punch(struct body *body, uint64_t offset, uint64_t end) {
    uint64_t first = (offset + PAGE_BYTES - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
    if (first > last) /* inside one page */
        return zero_bytes(body, offset, end - offset);
    k42_result result = zero_bytes(body, offset, (first << PAGE_SHIFT) - offset);
    if (!result)
        result = zero_bytes(body, last << PAGE_SHIFT, end - (last << PAGE_SHIFT));
    if (result || first == last)
        return result;
    set_clear(body, (struct body_clear){first, last, CLEAR_HOLE});
    return fcm_body_clear_step(body);
}

/* An FR that knows no holes says so when it is asked for an empty one, before anything is gone. */
k42_result fcm_body_punch(struct fcm *self, uint64_t offset, uint64_t length) {
    struct body *body = BODY(self);
    k42_result result = fcm_body_exclude(body);
    if (result)
        return result;
    result = fcm_body_clear_step(body);
    uint64_t size = fcm_body_bytes(body);
    uint64_t end = length < size && offset <= size - length ? offset + length : size;
    if (!result && fcm_body_has_fr(body))
        result = k42_call(body->its.fr, punch, 0, 0);
    if (!result && offset < end)
        result = punch(body, offset, end);
    fcm_body_admit(body);
    return result;
}
