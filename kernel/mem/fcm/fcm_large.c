/*
 * FCM, large: the pages of one file in blocks of 2 MiB, which are mapped by one entry each.
 *
 * For large files that programs map, or read from one end to the other and keep. The first page
 * that is wanted of a block takes 2 MiB of memory at once, if there are any in one piece, and they
 * become the *place* of the block: each of its pages gets its own part of it as its frame. All of
 * the block is begun then. Who only reads goes on as soon as his page is there; who maps it waits
 * until the block is whole, and gets it with one fault and no page table. Where there is no block
 * of memory, where the file does not reach to the end of the block, and where some page has come to
 * lie elsewhere, pages are single ones and treated as in a shared FCM. So they are when a page of a
 * block has left: evicted, cut off or made a hole.
 *
 * A file that grows gets places, too, once it has a block and begins another: who has written so
 * much goes on.
 *
 * What is left of a place belongs to no page yet. At most PLACES blocks have such a rest; the
 * oldest goes for another one. When memory is short those go of which nothing was used lately; all
 * go that the file does not cover any more, or when another class takes over. A block whose rest
 * has gone is not whole before all its pages have left.
 *
 * Dirty pages. A block is mapped for reading only: a program that writes to a shared mapping has
 * single pages there, so a page is written back and not its block. What is written by call is in
 * the same frames, and dirty page by page.
 *
 * Locking: body->lock, leaf, for the places. Formats: body_state.c's, without places; frames of
 * blocks are single ones to whoever gets them. Fails: as a shared one; that there is no block of
 * memory is no failure.
 */
#include "body_block.h"

enum { PLACES = 8, WORD_BITS = 64 };

/* Memory for a block; a bit for each part that is no page's yet. All zero: there is none. */
struct place {
    uint64_t first, physical;
    uint64_t left[BLOCK_PAGES / WORD_BITS];
    uint32_t parts; /* that are left */
    bool used;      /* since memory was asked for last */
};

struct large {
    struct body body;
    uint32_t oldest;
    struct place places[PLACES];
};

#define LARGE(self) k42_container(BODY(self), struct large, body)

/* ---- places ---- */

static void give_rest(struct body *body, const struct place *place) {
    for (uint64_t word = 0; word < BLOCK_PAGES / WORD_BITS && place->parts; word++)
        for (uint64_t left = place->left[word]; left; left &= left - 1) {
            uint64_t inside = word * WORD_BITS + (uint64_t)__builtin_ctzl(left);
            fcm_body_give_frame(body, place->physical + (inside << PAGE_SHIFT));
        }
}

/* Under the lock. */
static struct place *find_place(struct large *large, uint64_t first) {
    for (struct place *place = large->places; place < large->places + PLACES; place++)
        if (place->physical && place->first == first)
            return place;
    return NULL;
}

/* Whether there is one with a rest. */
static bool has_place(struct large *large, uint64_t first) {
    fcm_body_lock(&large->body);
    const struct place *place = find_place(large, first);
    bool has = place && place->parts;
    k42_unlock(&large->body.lock);
    return has;
}

/* Under the lock: one that is used up, or the oldest, for another block. */
static struct place *place_to_replace(struct large *large) {
    for (struct place *place = large->places; place < large->places + PLACES; place++)
        if (!place->parts)
            return place;
    return &large->places[large->oldest++ % PLACES];
}

/* Enters one, or gives it back when somebody else was faster. */
static void enter_place(struct large *large, const struct place *made) {
    struct place over = *made;
    fcm_body_lock(&large->body);
    struct place *place = find_place(large, made->first);
    if (!place || !place->parts) {
        place = place ? place : place_to_replace(large);
        over = *place;
        *place = *made;
    }
    k42_unlock(&large->body.lock);
    give_rest(&large->body, &over);
}

/* Takes memory for a block. False: there is none in one piece. */
static bool make_place(struct large *large, uint64_t first) {
    pm_ref pm = fcm_body_pm(&large->body);
    struct k42_pair taken = k42_call(pm, take, BLOCK_ORDER, PM_TRY);
    if (taken.result)
        return false;
    struct frame *parts = frame_at(taken.word);
    struct place made = {.first = first, .physical = taken.word, .parts = BLOCK_PAGES};
    frame_part(parts);
    for (uint64_t at = 0; at < BLOCK_PAGES; at++)
        parts[at].user[0] = k42_id_of(pm);
    __builtin_memset(made.left, 0xff, sizeof made.left);
    enter_place(large, &made);
    return true;
}

/* Gives the rest of a place back if it reaches behind a page, or, with BLOCK_NONE, if nothing of it
 * was used since it was asked for last. Returns how many frames it were. */
static uint64_t give_up_place(struct large *large, struct place *place, uint64_t behind) {
    struct place over = {.physical = 0};
    fcm_body_lock(&large->body);
    if (behind == BLOCK_NONE ? !place->used : place->first + BLOCK_PAGES > behind) {
        over = *place;
        *place = (struct place){.physical = 0};
    }
    place->used = false;
    k42_unlock(&large->body.lock);
    give_rest(&large->body, &over);
    return over.parts;
}

static void give_up_places(struct large *large, uint64_t behind) {
    for (struct place *place = large->places; place < large->places + PLACES; place++)
        (void)give_up_place(large, place, behind);
}

/* Whether no page of a block has a frame yet. */
static bool is_untouched(const struct body *body, uint64_t first) {
    uint64_t at = first;
    for (uint64_t *slot; (slot = page_tree_next(&body->its.tree, &at)) && at < first + BLOCK_PAGES;
         at++)
        if (page_physical(page_load(slot)))
            return false;
    return true;
}

static bool is_covered(const struct body *body, uint64_t first) {
    return (first + BLOCK_PAGES) << PAGE_SHIFT <= fcm_body_bytes(body);
}

/* Whether a page that is claimed begins a block that will be there, or is part of one. */
static bool is_expected(const struct body *body, uint64_t first, uint64_t index) {
    return is_covered(body, first) || (first && index == first && first >= fcm_body_end(body));
}

static uint64_t take_part(struct large *large, uint64_t first, uint64_t index) {
    uint64_t inside = index - first, bit = 1ul << inside % WORD_BITS, physical = 0;
    fcm_body_lock(&large->body);
    struct place *place = find_place(large, first);
    if (place && place->left[inside / WORD_BITS] & bit) {
        place->left[inside / WORD_BITS] &= ~bit;
        place->parts--;
        place->used = true;
        physical = place->physical + (inside << PAGE_SHIFT);
    }
    k42_unlock(&large->body.lock);
    return physical;
}

static uint64_t take_frame(struct body *body, uint64_t index) {
    struct large *large = k42_container(body, struct large, body);
    uint64_t first = index - index % BLOCK_PAGES, physical = take_part(large, first, index);
    if (physical || !is_expected(body, first, index))
        return physical;
    if (!is_untouched(body, first) || !make_place(large, first))
        return 0;
    return take_part(large, first, index);
}

/* The part is a rest of its place again, if that is there still. */
static bool give_frame(struct body *body, uint64_t index, uint64_t physical) {
    struct large *large = k42_container(body, struct large, body);
    uint64_t inside = index % BLOCK_PAGES;
    fcm_body_lock(body);
    struct place *place = find_place(large, index - inside);
    bool is_part = place && place->physical + (inside << PAGE_SHIFT) == physical;
    if (is_part) {
        place->left[inside / WORD_BITS] |= 1ul << inside % WORD_BITS;
        place->parts++;
    }
    k42_unlock(&body->lock);
    return is_part;
}

static const struct body_frames frames = {take_frame, give_frame};

/* ---- filling ---- */

/* Begins what is absent of a block that has a place, or can have one: the page that is wanted, what
 * is behind it, and then what is before. */
static void begin_block(struct large *large, uint64_t index) {
    struct body *body = &large->body;
    uint64_t first = index - index % BLOCK_PAGES, end = first + BLOCK_PAGES;
    if (!fcm_body_has_fr(body) ||
        (!has_place(large, first) && !(is_untouched(body, first) && make_place(large, first))))
        return;
    if (fcm_body_begin(body, index, index + 1, end) == end)
        (void)fcm_body_begin(body, first, first, index);
}

/* ---- mapping ---- */

static bool is_present(const struct body *body, uint64_t index) {
    const uint64_t *slot = page_tree_find(&body->its.tree, index);
    return slot && page_load(slot) & PAGE_PRESENT;
}

/* Nothing could be begun, since the FR is full: an absent page by itself, which waits for that. */
static k42_result ask_for(struct large *large, uint64_t index) {
    struct body *body = &large->body;
    uint64_t word;
    if (!fcm_body_has_fr(body) || !has_place(large, index - index % BLOCK_PAGES))
        return -EAGAIN;
    k42_result result = fcm_body_hold(body, index, 0, &word);
    if (!result)
        fcm_body_drop(body, index, 0);
    return result && result != -K42_WAIT ? -EAGAIN : result;
}

/* -EAGAIN: there is no whole block, nor will there be one. */
static k42_result get_block(struct large *large, uint64_t index, struct fcm_page *page) {
    struct body *body = &large->body;
    uint64_t first = index - index % BLOCK_PAGES;
    if (!is_covered(body, first))
        return -EAGAIN;
    if (is_present(body, first) && is_present(body, first + BLOCK_PAGES - 1)) {
        k42_result result = fcm_body_get_block(body, first, page);
        if (result != -EAGAIN)
            return result;
    }
    for (;;) {
        struct block_seen seen = fcm_body_look_at_block(body, first);
        if (seen.absent != BLOCK_NONE && seen.filling == BLOCK_NONE && !seen.broken) {
            begin_block(large, index);
            seen = fcm_body_look_at_block(body, first);
        }
        if (seen.broken)
            return -EAGAIN;
        if (seen.filling != BLOCK_NONE)
            return fcm_body_await(body, seen.filling);
        if (seen.absent == BLOCK_NONE)
            return fcm_body_get_block(body, first, page);
        k42_result result = ask_for(large, seen.absent);
        if (result)
            return result;
    }
}

static k42_result large_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                 struct fcm_page *page) {
    if ((flags & (FCM_LARGE | FCM_WRITE | FCM_CACHED)) == FCM_LARGE) {
        k42_result result = get_block(LARGE(self), index, page);
        if (result != -EAGAIN)
            return result;
    }
    return fcm_body_get_page(self, index, flags, page);
}

/* ---- reading ---- */

static k42_result large_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct large *large = LARGE(self);
    struct body *body = &large->body;
    uint64_t index = offset >> PAGE_SHIFT, first = index - index % BLOCK_PAGES;
    const uint64_t *slot = page_tree_find(&body->its.tree, index);
    if (__builtin_expect(!(slot && page_load(slot)) && is_covered(body, first), 0))
        begin_block(large, index);
    return fcm_body_read(self, offset, copy);
}

/* ---- changing the size ---- */

static k42_result large_resize(struct fcm *self, uint64_t size) {
    k42_result result = fcm_body_resize(self, size);
    if (!result)
        give_up_places(LARGE(self), size >> PAGE_SHIFT);
    return result;
}

static k42_result large_renew(struct fcm *self, uint64_t size) {
    k42_result result = fcm_body_renew(self, size);
    if (!result)
        give_up_places(LARGE(self), 0);
    return result;
}

/* ---- giving back ---- */

static k42_result large_give_back(struct fcm *self, uint64_t wanted) {
    struct large *large = LARGE(self);
    uint64_t freed = 0;
    for (unsigned i = 0; i < PLACES && freed < wanted; i++)
        freed += give_up_place(large, &large->places[i], BLOCK_NONE);
    if (wanted && freed >= wanted)
        return (k42_result)freed;
    k42_result more = fcm_body_give_back(self, wanted - freed);
    return more < 0 ? (k42_result)freed : more + (k42_result)freed;
}

static k42_result large_usage(struct fcm *self, struct fcm_usage *usage) {
    struct large *large = LARGE(self);
    k42_result result = fcm_body_usage(self, usage);
    fcm_body_lock(&large->body);
    for (unsigned i = 0; i < PLACES; i++)
        usage->frames += large->places[i].parts;
    k42_unlock(&large->body.lock);
    return result;
}

/* ---- making, and state ---- */

static struct large *large_of(struct k42_root *root) {
    return k42_container(root, struct large, body.root);
}

static k42_result large_init(struct k42_root *root, const void *args) {
    large_of(root)->body.frames = &frames;
    return fcm_body_init(root, args);
}

/* Also after a swap: places are not handed over. */
static void large_fini(struct k42_root *root) {
    k42_enter();
    give_up_places(large_of(root), 0);
    k42_exit();
    fcm_body_fini(root);
}

static const struct fcm_ops large_ops = {
    FCM_BODY_STEADY_METHODS,      .get_page = large_get_page, .read = large_read,
    .write = fcm_body_write,      .resize = large_resize,     .punch = fcm_body_punch,
    .give_back = large_give_back, .leave = fcm_body_leave,    .usage = large_usage,
    .renew = large_renew,         .advise = fcm_body_advise,
};

K42_CLASS(fcm_large) = {
    .name = "fcm.large",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file pages=large",
    .kind = &k42_single,
    .root_size = sizeof(struct large),
    .rep_offset = offsetof(struct large, body.rep),
    .ops = &large_ops,
    .init = large_init,
    .fini = large_fini,
    .transfers = fcm_body_transfers,
};
