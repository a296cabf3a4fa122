/*
 * FCM, small: one file of at most 64 KiB, kept whole as its bytes in one block of the heap.
 *
 * Most files are small, are read from one end to the other, and are never mapped or changed. Of
 * such a file a page cache has a frame, a node of a tree and a word for each page; here, when a
 * read has reached the end and nothing of the file is dirty, its bytes are put into one block as
 * long as they are, and the pages go. Reading is then one copy, whatever its length, and a file of
 * 300 bytes takes 320. A block of the heap beyond 3 KiB is a power of two of frames: a file whose
 * pages are not as many stays in pages, since it would take more.
 *
 * Why there are no other changes of shape. The bytes are a clean copy of what the FR has, and
 * nothing else is; whatever changes the file, or wants a page of it to map, gives them up before it
 * begins and goes on with pages as in a shared one. So there is no state but the pages' to hand
 * over, no import that could be refused, and a file that has grown is a shared one's equal.
 *
 * Why a read never sees what is over. Whoever changes the file counts himself in and takes the
 * bytes away, under the lock, before he begins, and counts himself out at the end. The bytes are
 * shown under the lock if nobody is changing the file, and nobody began to since before they were
 * copied from pages that were present, clean and not being written. A reader who found them before
 * they were taken away reads what was there when he began.
 *
 * Locking: body->lock for `whole` and the counts, leaf; readers take none: the block goes after a
 * grace period. Formats: body_state.c's, pages only. Fails: as a shared one; without memory for the
 * block it stays in pages.
 */
#include "body.h"

#include <k42/thread.h>

enum { MOST_PAGES = 16 };

struct whole {
    struct k42_defer defer;
    uint64_t size;
    char *bytes;
};

struct small {
    struct body body;
    struct whole *whole; /* NULL: the file is in pages */
    uint32_t changing;   /* calls that change the file now */
    uint32_t used;       /* the bytes were read since memory was asked for last */
    uint64_t changes;    /* how many have begun */
};

#define SMALL(self) k42_container(BODY(self), struct small, body)

/* ---- the bytes ---- */

static void free_whole(struct k42_defer *defer) {
    struct whole *whole = k42_container(defer, struct whole, defer);
    heap_free(whole->bytes);
    heap_free(whole);
}

static struct whole *make_whole(uint64_t size) {
    struct whole *whole = heap_allocate(sizeof *whole);
    char *bytes = heap_allocate(size);
    if (whole && bytes) {
        *whole = (struct whole){.size = size, .bytes = bytes};
        return whole;
    }
    heap_free(whole);
    heap_free(bytes);
    return NULL;
}

/* Takes the bytes away; whoever reads them goes on with them. Returns their size. */
static uint64_t give_up(struct small *small, uint32_t changing) {
    fcm_body_lock(&small->body);
    struct whole *whole = small->whole;
    __atomic_store_n(&small->whole, NULL, __ATOMIC_RELEASE);
    small->changing += changing;
    small->changes += changing;
    k42_unlock(&small->body.lock);
    uint64_t size = whole ? whole->size : 0;
    if (whole)
        k42_defer(&whole->defer, free_whole);
    return size;
}

static void begin_change(struct fcm *self) {
    (void)give_up(SMALL(self), 1);
}

static k42_result end_change(struct fcm *self, k42_result result) {
    struct small *small = SMALL(self);
    fcm_body_lock(&small->body);
    small->changing--;
    k42_unlock(&small->body.lock);
    return result;
}

static bool fits(uint64_t size) {
    uint64_t pages = (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
    return pages && pages <= MOST_PAGES && !(pages & (pages - 1));
}

/* Under the lock. */
static bool is_at_rest(const struct small *small) {
    const struct body_contents *its = &small->body.its;
    return !small->whole && !small->changing && its->clear.first == its->clear.end &&
           !its->attachments.count;
}

static bool is_clean(const struct body *body, uint64_t index) {
    const uint64_t *slot = page_tree_find(&body->its.tree, index);
    return slot && !(page_load(slot) & (PAGE_DIRTY | PAGE_WRITING | PAGE_LEAVING | PAGE_MAPPED));
}

/* Copies the pages, if all are there and clean. */
static bool copy_pages(struct body *body, struct whole *whole) {
    uint64_t physical[MOST_PAGES], pages = (whole->size + PAGE_BYTES - 1) >> PAGE_SHIFT;
    unsigned bytes = (unsigned)(pages * sizeof *physical);
    k42_result mask = fcm_body_get_present(&body->rep, 0, bytes, physical);
    bool right = mask == (1l << pages) - 1;
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t start = i << PAGE_SHIFT, left = whole->size - start;
        if (!(mask & 1l << i))
            continue;
        right = right && is_clean(body, i);
        if (right)
            __builtin_memcpy(whole->bytes + start, machine_memory(physical[i]),
                             left < PAGE_BYTES ? left : PAGE_BYTES);
        fcm_body_drop(body, i, 0);
    }
    return right;
}

/* A read has come to the end: from pages to bytes, if that can be. */
static void condense(struct small *small) {
    struct body *body = &small->body;
    uint64_t size = fcm_body_bytes(body);
    fcm_body_lock(body);
    uint64_t changes = small->changes;
    bool right = is_at_rest(small) && fits(size);
    k42_unlock(&body->lock);
    struct whole *whole = right ? make_whole(size) : NULL;
    if (!whole)
        return;
    right = copy_pages(body, whole);
    fcm_body_lock(body);
    right = right && is_at_rest(small) && small->changes == changes && size == fcm_body_bytes(body);
    if (right)
        __atomic_store_n(&small->whole, whole, __ATOMIC_RELEASE);
    k42_unlock(&body->lock);
    if (right)
        (void)fcm_body_let_go(body, 0, MOST_PAGES, 0);
    else
        free_whole(&whole->defer);
}

/* ---- reading ---- */

static k42_result read_whole(struct small *small, const struct whole *whole, uint64_t offset,
                             struct copy *copy) {
    if (offset >= whole->size)
        return 0;
    if (!__atomic_load_n(&small->used, __ATOMIC_RELAXED))
        __atomic_store_n(&small->used, 1, __ATOMIC_RELAXED);
    uint64_t left = whole->size - offset, length = copy->left < left ? copy->left : left;
    k42_result result = copy_out(copy, whole->bytes + offset, length);
    copy->unfinished = result < (k42_result)length;
    return result;
}

/* Of a file that is not there all pages are begun, with one request. */
static void begin_all(struct body *body, uint64_t offset, uint64_t length) {
    uint64_t end = fcm_body_end(body), first = offset >> PAGE_SHIFT;
    uint64_t wanted = (offset + length + PAGE_BYTES - 1) >> PAGE_SHIFT;
    const uint64_t *slot = page_tree_find(&body->its.tree, first);
    if (end <= MOST_PAGES && first < end && !(slot && page_load(slot)))
        (void)fcm_body_begin(body, 0, wanted, end);
}

static k42_result small_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct small *small = SMALL(self);
    const struct whole *whole = __atomic_load_n(&small->whole, __ATOMIC_ACQUIRE);
    if (__builtin_expect(whole != NULL, 1))
        return read_whole(small, whole, offset, copy);
    if (!fcm_body_has_fr(&small->body))
        return fcm_body_read(self, offset, copy);
    uint64_t length = copy->left < BODY_SIZE_MAX - offset ? copy->left : BODY_SIZE_MAX - offset;
    begin_all(&small->body, offset, length);
    k42_result result = fcm_body_read(self, offset, copy);
    if (result > 0 && offset + (uint64_t)result >= fcm_body_bytes(&small->body))
        condense(small);
    return result;
}

/* ---- what changes the file, or wants its pages ---- */

static k42_result small_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                 struct fcm_page *page) {
    begin_change(self);
    return end_change(self, fcm_body_get_page(self, index, flags, page));
}

static k42_result small_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    begin_change(self);
    return end_change(self, fcm_body_write(self, offset, copy, at));
}

static k42_result small_resize(struct fcm *self, uint64_t size) {
    begin_change(self);
    return end_change(self, fcm_body_resize(self, size));
}

static k42_result small_punch(struct fcm *self, uint64_t offset, uint64_t length) {
    begin_change(self);
    return end_change(self, fcm_body_punch(self, offset, length));
}

static k42_result small_renew(struct fcm *self, uint64_t size) {
    begin_change(self);
    return end_change(self, fcm_body_renew(self, size));
}

/* ---- giving back ---- */

/* The bytes have a second chance, as pages have. */
static k42_result small_give_back(struct fcm *self, uint64_t wanted) {
    struct small *small = SMALL(self);
    uint64_t freed = 0;
    if (wanted && __atomic_load_n(&small->whole, __ATOMIC_RELAXED) &&
        !__atomic_exchange_n(&small->used, 0, __ATOMIC_RELAXED))
        freed = (give_up(small, 0) + PAGE_BYTES - 1) >> PAGE_SHIFT;
    k42_result more = fcm_body_give_back(self, wanted);
    return more < 0 ? (k42_result)freed : more + (k42_result)freed;
}

static k42_result small_advise(struct fcm *self, uint64_t first, uint64_t pages,
                               enum fcm_advice advice) {
    struct small *small = SMALL(self);
    if (advice == FCM_UNWANTED)
        (void)give_up(small, 0);
    else if (advice == FCM_WANTED && __atomic_load_n(&small->whole, __ATOMIC_ACQUIRE))
        return 0;
    return fcm_body_advise(self, first, pages, advice);
}

static k42_result small_usage(struct fcm *self, struct fcm_usage *usage) {
    const struct whole *whole = __atomic_load_n(&SMALL(self)->whole, __ATOMIC_ACQUIRE);
    k42_result result = fcm_body_usage(self, usage);
    usage->frames += whole ? (whole->size + PAGE_BYTES - 1) >> PAGE_SHIFT : 0;
    return result;
}

static void small_fini(struct k42_root *root) {
    struct small *small = k42_container(root, struct small, body.root);
    if (small->whole)
        free_whole(&small->whole->defer);
    fcm_body_fini(root);
}

static const struct fcm_ops small_ops = {
    FCM_BODY_STEADY_METHODS,      .get_page = small_get_page, .read = small_read,
    .write = small_write,         .resize = small_resize,     .punch = small_punch,
    .give_back = small_give_back, .leave = fcm_body_leave,    .usage = small_usage,
    .renew = small_renew,         .advise = small_advise,
};

K42_CLASS(fcm_small) = {
    .name = "fcm.small",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file size=small",
    .kind = &k42_single,
    .root_size = sizeof(struct small),
    .rep_offset = offsetof(struct small, body.rep),
    .ops = &small_ops,
    .init = fcm_body_init,
    .fini = small_fini,
    .transfers = fcm_body_transfers,
};
