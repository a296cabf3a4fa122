/*
 * FCM, partitioned over CPUs: the pages of one file that many CPUs read at the same time.
 *
 * In a shared one every read of a page changes the page's word twice, in a cache line that all CPUs
 * and eight pages share. Here each CPU has a representative, which keeps pages: it has one hold of
 * each, taken from the page's word once, and lends it to the reads of its CPU, by a word of its
 * own. So a page that a CPU reads again is found, held and let go of in lines that no other CPU
 * touches. Everything else goes to the home of the pages, the root, whose contents and rules are a
 * shared one's: pages that are not kept, writers, mappings, pages that come and go.
 *
 * A page with holds neither leaves nor is written back, so what is kept must be had back. Kept are
 * only pages that are clean and that nobody wants to have gone; and whoever wants that asks all
 * CPUs for what they keep: before pages are given back, written or cut off, and again after he was
 * told to wait for a page, which has a flag by then. A CPU that begins to keep a page shows that
 * first and looks at the page's flags then: either it sees the flag, or it is seen to keep the page
 * (both are full barriers). So after he has asked nobody begins to keep that page, and he waits
 * only for reads under way.
 *
 * A kept page is one word: its number, how many reads have it, and
 *
 *     0 -> BUSY -> KEPT (lent or not) -> KEPT|RECALLED -> 0
 *
 * Who makes it 0, a recall of one that is not lent or the last read of one that is recalled, gives
 * the hold back. Only a word that is 0, or kept and not lent, is taken for another page.
 *
 * Locking: body.h's; words of kept pages by compare-and-swap. Asking all CPUs costs KEEPS words for
 * each CPU that has called: on the ways where frames are freed and files change, never on a read's.
 * Formats: body_state.c's, with nothing kept. Fails: as a shared one.
 */
#include "body.h"

enum {
    KEEPS = 128, /* pages for each CPU; 2 KiB */
    KEPT = 1,
    RECALLED = 2, /* without KEPT: BUSY, somebody is about to write it */
    LENT_SHIFT = 2,
    INDEX_SHIFT = 13,
};
#define LENT      (1ul << LENT_SHIFT)
#define LENT_MASK ((1ul << INDEX_SHIFT) - LENT)
#define BUSY      ((uint64_t)RECALLED)

struct keep {
    uint64_t word, physical;
};

struct part {
    struct fcm rep;
    struct body *home;
    struct keep keeps[KEEPS];
};

#define PART(self) k42_container(self, struct part, rep)
#define HOME(self) (&PART(self)->home->rep)

/* What keeps a page from being kept. */
#define PAGE_WANTED_AWAY                                                                           \
    (PAGE_DIRTY | PAGE_WRITING | PAGE_LEAVING | PAGE_SYNC | PAGE_AWAITED | PAGE_FILLING)

/* ---- what is kept ---- */

static struct keep *keep_for(struct part *part, uint64_t index) {
    return &part->keeps[index % KEEPS];
}

static bool change(struct keep *keep, uint64_t *word, uint64_t to) {
    return __atomic_compare_exchange_n(&keep->word, word, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_ACQUIRE);
}

/* Lends a page that is kept. */
static bool borrow(struct keep *keep, uint64_t index) {
    uint64_t word = __atomic_load_n(&keep->word, __ATOMIC_ACQUIRE);
    do {
        if (word >> INDEX_SHIFT != index || (word & (KEPT | RECALLED)) != KEPT ||
            (word & LENT_MASK) == LENT_MASK)
            return false;
    } while (!change(keep, &word, word + LENT));
    return true;
}

static void give_back_hold(struct body *body, uint64_t word) {
    fcm_body_drop(body, word >> INDEX_SHIFT, 0);
}

static void end_borrowing(struct body *body, struct keep *keep) {
    uint64_t word = __atomic_load_n(&keep->word, __ATOMIC_ACQUIRE), to;
    do {
        to = word - LENT;
        if (to & RECALLED && !(to & LENT_MASK))
            to = 0;
    } while (!change(keep, &word, to));
    if (!to)
        give_back_hold(body, word);
}

static void recall(struct body *body, struct keep *keep) {
    uint64_t word = __atomic_load_n(&keep->word, __ATOMIC_SEQ_CST), to;
    do {
        if ((word & (KEPT | RECALLED)) != KEPT)
            return;
        to = word & LENT_MASK ? word | RECALLED : 0;
    } while (!change(keep, &word, to));
    if (!to)
        give_back_hold(body, word);
}

static void recall_part(void *rep, unsigned cpu, void *context) {
    struct part *part = rep;
    (void)cpu;
    for (unsigned i = 0; i < KEEPS; i++)
        recall(context, &part->keeps[i]);
}

static void recall_all(struct body *body) {
    k42_each_rep(&body->clustered, recall_part, body);
}

/* Takes a place, whose page must not be lent. */
static bool take_place(struct body *body, struct keep *keep) {
    uint64_t word = __atomic_load_n(&keep->word, __ATOMIC_ACQUIRE);
    if (word & (LENT_MASK | RECALLED) || !change(keep, &word, BUSY))
        return false;
    if (word)
        give_back_hold(body, word);
    return true;
}

/* Keeps a page of which the caller has a hold, and lends it to him. False: the hold is still his.
 */
static bool keep_page(struct part *part, struct keep *keep, uint64_t index, uint64_t word) {
    struct body *body = part->home;
    if (word & PAGE_WANTED_AWAY || !take_place(body, keep))
        return false;
    __atomic_store_n(&keep->physical, page_physical(word), __ATOMIC_RELAXED);
    __atomic_exchange_n(&keep->word, index << INDEX_SHIFT | LENT | KEPT, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(page_tree_find(&body->its.tree, index), __ATOMIC_SEQ_CST) &
        PAGE_WANTED_AWAY)
        recall(body, keep);
    return true;
}

/* ---- reading ---- */

static k42_result copy_kept(struct body *body, struct keep *keep, uint64_t offset, size_t length,
                            struct copy *copy) {
    char *page = machine_memory(__atomic_load_n(&keep->physical, __ATOMIC_RELAXED));
    k42_result result = copy_out(copy, page + (offset & (PAGE_BYTES - 1)), length);
    end_borrowing(body, keep);
    return result;
}

static k42_result read_piece(struct body *body, void *context, uint64_t offset, size_t length,
                             struct copy *copy) {
    struct part *part = context;
    uint64_t index = offset >> PAGE_SHIFT, word;
    struct keep *keep = keep_for(part, index);
    if (__builtin_expect(borrow(keep, index), 1))
        return copy_kept(body, keep, offset, length, copy);
    k42_result result = fcm_body_hold_to_read(body, index, &word);
    if (result)
        return result == -ENOENT ? copy_out_zeros(copy, length) : result;
    if (keep_page(part, keep, index, word))
        return copy_kept(body, keep, offset, length, copy);
    result = copy_out(copy, page_memory(word) + (offset & (PAGE_BYTES - 1)), length);
    fcm_body_drop(body, index, 0);
    return result;
}

/* A call that must wait: for a page, perhaps, that some CPU keeps. */
static k42_result waits(struct body *body, k42_result result) {
    if (result == -K42_WAIT)
        recall_all(body);
    return result;
}

static k42_result part_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct body *body = PART(self)->home;
    k42_result result = fcm_body_read_pieces(body, offset, copy, read_piece, PART(self));
    return fcm_body_is_clearing(body) ? waits(body, result) : result;
}

/* ---- what wants pages to go, or to be written ---- */

static k42_result part_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    struct body *body = PART(self)->home;
    k42_result result = fcm_body_write(&body->rep, offset, copy, at);
    return fcm_body_is_clearing(body) ? waits(body, result) : result;
}

static k42_result part_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                struct fcm_page *page) {
    struct body *body = PART(self)->home;
    k42_result result = fcm_body_get_page(&body->rep, index, flags, page);
    return fcm_body_is_clearing(body) ? waits(body, result) : result;
}

static k42_result part_resize(struct fcm *self, uint64_t size) {
    struct body *body = PART(self)->home;
    recall_all(body);
    return waits(body, fcm_body_resize(&body->rep, size));
}

static k42_result part_punch(struct fcm *self, uint64_t offset, uint64_t length) {
    struct body *body = PART(self)->home;
    recall_all(body);
    return waits(body, fcm_body_punch(&body->rep, offset, length));
}

static k42_result part_renew(struct fcm *self, uint64_t size) {
    struct body *body = PART(self)->home;
    recall_all(body);
    return waits(body, fcm_body_renew(&body->rep, size));
}

static k42_result part_sync(struct fcm *self, uint64_t first, uint64_t pages, unsigned durable) {
    struct body *body = PART(self)->home;
    recall_all(body);
    return waits(body, fcm_body_sync(&body->rep, first, pages, durable));
}

/* What a CPU still reads is kept again at once, and so is let be. */
static k42_result part_give_back(struct fcm *self, uint64_t wanted) {
    recall_all(PART(self)->home);
    return fcm_body_give_back(HOME(self), wanted);
}

struct wanted_back {
    uint64_t index;
    bool was_kept;
};

static void recall_page(void *rep, unsigned cpu, void *context) {
    struct part *part = rep;
    struct wanted_back *page = context;
    struct keep *keep = keep_for(part, page->index);
    uint64_t word = __atomic_load_n(&keep->word, __ATOMIC_ACQUIRE);
    (void)cpu;
    if (word & KEPT && word >> INDEX_SHIFT == page->index) {
        page->was_kept = true;
        recall(part->home, keep);
    }
}

/* A page that a CPU keeps has been used; the next time somebody asks it is not kept, or was again.
 */
static k42_result part_leave(struct fcm *self, uint64_t index, unsigned flags) {
    struct wanted_back page = {.index = index};
    k42_each_rep(&PART(self)->home->clustered, recall_page, &page);
    if (page.was_kept && !(flags & FCM_LEAVE_USED))
        return FCM_WAS_USED;
    return fcm_body_leave(HOME(self), index, flags);
}

static k42_result part_manage(struct fcm *self, k42_ref pm) {
    return fcm_body_manage(HOME(self), pm);
}

static k42_result part_expect(struct fcm *self, uint64_t index) {
    return fcm_body_expect(HOME(self), index);
}

static k42_result part_adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    return fcm_body_adopt(HOME(self), index, physical);
}

static k42_result part_advise(struct fcm *self, uint64_t first, uint64_t pages,
                              enum fcm_advice advice) {
    if (advice == FCM_UNWANTED)
        recall_all(PART(self)->home);
    return fcm_body_advise(HOME(self), first, pages, advice);
}

static k42_result part_usage(struct fcm *self, struct fcm_usage *usage) {
    recall_all(PART(self)->home);
    return fcm_body_usage(HOME(self), usage);
}

/* ---- what goes home as it is ---- */

static k42_result part_put_page(struct fcm *self, uint64_t index) {
    return fcm_body_put_page(HOME(self), index);
}

static k42_result part_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                   uint64_t *physical) {
    return fcm_body_get_present(HOME(self), first, bytes, physical);
}

static k42_result part_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    return fcm_body_mapped(HOME(self), first, mask);
}

static k42_result part_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    return fcm_body_attach(HOME(self), attachment);
}

static k42_result part_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    return fcm_body_detach(HOME(self), attachment);
}

static k42_result part_size(struct fcm *self) {
    return fcm_body_size(HOME(self));
}

static k42_result part_seek(struct fcm *self, uint64_t offset, enum fcm_seek what) {
    return fcm_body_seek(HOME(self), offset, what);
}

static k42_result part_filled(struct fcm *self, uint64_t index, k42_result result) {
    return fcm_body_filled(HOME(self), index, result);
}

static k42_result part_written(struct fcm *self, uint64_t index, k42_result result) {
    return fcm_body_written(HOME(self), index, result);
}

static k42_result part_counts(struct fcm *self, struct fcm_counts *counts) {
    return fcm_body_counts(HOME(self), counts);
}

static k42_result part_describe(struct k42_object *self, char *text, size_t size) {
    struct fcm *home = HOME((struct fcm *)(void *)self);
    return fcm_body_describe((struct k42_object *)(void *)home, text, size);
}

/* ---- making, and state ---- */

static k42_result part_init(struct k42_root *root, void *rep, unsigned cpu) {
    struct part *part = rep;
    (void)cpu;
    part->home = k42_container(root, struct body, root);
    return 0;
}

/* No call is under way, so nothing is lent: all that is kept goes back. */
static k42_result export_contents(struct k42_root *from, struct k42_state *state, unsigned part) {
    recall_all(k42_container(from, struct body, root));
    return fcm_body_export_contents(from, state, part);
}

static k42_result export_pages(struct k42_root *from, struct k42_state *state, unsigned part) {
    recall_all(k42_container(from, struct body, root));
    return fcm_body_export_pages(from, state, part);
}

static const struct k42_transfer part_transfers[] = {
    FCM_BODY_TRANSFERS(export_contents, export_pages),
    {.format = NULL},
};

static const struct fcm_ops part_ops = {
    .object.describe = part_describe,
    .get_page = part_get_page,
    .put_page = part_put_page,
    .get_present = part_get_present,
    .mapped = part_mapped,
    .attach = part_attach,
    .detach = part_detach,
    .read = part_read,
    .write = part_write,
    .size = part_size,
    .resize = part_resize,
    .punch = part_punch,
    .seek = part_seek,
    .sync = part_sync,
    .give_back = part_give_back,
    .filled = part_filled,
    .written = part_written,
    .usage = part_usage,
    .renew = part_renew,
    .leave = part_leave,
    .manage = part_manage,
    .expect = part_expect,
    .adopt = part_adopt,
    .counts = part_counts,
    .advise = part_advise,
    .seal = fcm_no_seal,
};

K42_CLASS(fcm_partitioned) = {
    .name = "fcm.partitioned",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file sharing=high",
    .kind = &k42_clustered,
    .root_size = sizeof(struct body),
    .rep_size = sizeof(struct part),
    .ops = &part_ops,
    .init = fcm_body_init,
    .init_rep = part_init,
    .fini = fcm_body_fini,
    .transfers = part_transfers,
};
