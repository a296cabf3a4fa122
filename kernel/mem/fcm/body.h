/*
 * Inside the FCMs of files: what all classes with pages have in common.
 *
 *   body.c            making, ending, counts, attachments
 *   body_get.c        a page's way in: claiming, getting, holding
 *   body_fill.c       its contents
 *   body_ahead.c      pages begun before anybody wants them
 *   body_block.c      512 pages that lie together (body_block.h)
 *   body_clock.c      who goes when memory is short
 *   body_leave.c      its way out: of address spaces, and evicted
 *   body_manage.c     whose bill it is on
 *   body_clear.c      its end: cut off, or made a hole
 *   body_write_back.c its way to the FR
 *   body_copy.c       read and write
 *   body_state.c      state transfer, in both formats
 *
 * Locking. body->lock, leaf: which pages there are (page_tree.h), attachments, the size, what is
 * being cleared. Nothing is called with it held. Words of pages change without it. `exclusive` is
 * held by whoever changes the size, from the beginning of a method to its end, across calls of
 * others: who wants it meanwhile is told to wait. It is never held between two methods.
 */
#ifndef KERNEL_FCM_BODY_H
#define KERNEL_FCM_BODY_H

#include "../../advisor/advisor.h"
#include "../../copy.h"
#include "../../sched/wait.h"
#include "../frame/frame.h"
#include "../hat/hat.h"
#include "../heap/heap.h"
#include "attachments.h"
#include "file_pages.h"
#include "page_tree.h"
#include "state.h"
#include "unsealed.h"

#include <k42/lock.h>

#include <errno.h>

#define BODY_SIZE_MAX ((uint64_t)INT64_MAX)
#define BODY_SYNCS    8u
#define BODY_STREAMS  4u

/* Pages that are to be gone, and what the FR is told then. */
struct body_clear {
    uint64_t first, end;                                /* equal: nothing is */
    enum { CLEAR_HOLE, CLEAR_RESIZE, CLEAR_RENEW } why; /* of a hole, of the size, or nothing */
};

/* Somebody who reads in order, as far as one can tell. */
struct body_stream {
    uint64_t from;   /* the first page of his last step */
    uint64_t next;   /* the page behind its last */
    uint64_t ahead;  /* behind what was begun for him */
    uint64_t behind; /* pages before this one are not kept for him */
    uint32_t window; /* pages that are begun ahead */
    uint32_t turn;   /* when he came last */
};

/* All that a file's FCM is: handed over by pointer as it is. */
struct body_contents {
    fr_ref fr;
    pm_ref pm;
    struct page_tree tree;
    struct attachments attachments;
    uint64_t size; /* bytes; changed under the lock by the holder of `exclusive` */
    struct body_clear clear;
    uint64_t syncs[BODY_SYNCS]; /* requests that have marked what they want written */
    uint32_t next_sync;
    uint64_t renewal;   /* the request that renews, or did last */
    int32_t failure;    /* of writing back, not reported yet */
    uint32_t dirtied;   /* a page may have become dirty since write_back_all() came by */
    uint64_t hand;      /* where the clock stands */
    uint64_t read_next; /* where a reader in order would go on */
    uint32_t read_ahead;
    uint32_t turns; /* of readers, for the streams */
    struct body_stream streams[BODY_STREAMS];
    struct fcm_counts counts;
    k42_id enlisted; /* with the PM, under this id; or 0 */
};

struct body_incoming;
struct body;

/* Frames that wait for certain pages. */
struct body_frames {
    /* The one for a claimed page, whose it is from then on; 0: there is none. */
    uint64_t (*take)(struct body *body, uint64_t index);
    /* A page that has never been there does without its frame. False: it goes to the PM. */
    bool (*give)(struct body *body, uint64_t index, uint64_t physical);
};

/* The root comes first, whichever kind the class is of; of a clustered one, `rep` is not called by
 * clients, but by its representatives. */
struct body {
    union {
        struct k42_root root;
        struct k42_clustered_root clustered;
    };
    struct fcm rep;
    struct k42_lock lock;
    uint32_t exclusive;
    bool owns;                        /* the contents are this one's to end */
    const struct body_frames *frames; /* NULL: all come from the PM */
    struct body_contents its;
    struct body_incoming *incoming; /* memory for an import, or NULL */
};

#define BODY(self) k42_container(self, struct body, rep)

/* ---- body.c ---- */

k42_result fcm_body_init(struct k42_root *root, const void *args);
void fcm_body_fini(struct k42_root *root);
void fcm_body_release(struct body_contents *its);

k42_result fcm_body_attach(struct fcm *self, const struct fcm_attachment *attachment);
k42_result fcm_body_detach(struct fcm *self, const struct fcm_attachment *attachment);
k42_result fcm_body_size(struct fcm *self);
k42_result fcm_body_seek(struct fcm *self, uint64_t offset, enum fcm_seek what);
k42_result fcm_body_usage(struct fcm *self, struct fcm_usage *usage);
k42_result fcm_body_counts(struct fcm *self, struct fcm_counts *counts);
k42_result fcm_body_manage(struct fcm *self, k42_ref pm);
k42_result fcm_body_describe(struct k42_object *self, char *text, size_t size);

static inline k42_id fcm_body_id(const struct body *body) {
    return k42_root_id(&body->root);
}

static inline bool fcm_body_has_fr(const struct body *body) {
    return k42_id_of(body->its.fr) != 0;
}

static inline uint64_t fcm_body_bytes(const struct body *body) {
    return __atomic_load_n(&body->its.size, __ATOMIC_ACQUIRE);
}

/* The first page that the size does not reach. */
static inline uint64_t fcm_body_end(const struct body *body) {
    return (fcm_body_bytes(body) + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

/* How many bytes of a page belong to the file. */
static inline uint64_t fcm_body_bytes_in(const struct body *body, uint64_t index) {
    uint64_t size = fcm_body_bytes(body), start = index << PAGE_SHIFT;
    return size <= start ? 0 : size - start < PAGE_BYTES ? size - start : PAGE_BYTES;
}

static inline void fcm_body_tell(const struct body *body, uint64_t key) {
    wait_notify(fcm_body_id(body), key, (uint32_t)WAIT_ANY, WAIT_ALL);
}

K42_MUST_CHECK
static inline k42_result fcm_body_wait(const struct body *body, uint64_t key) {
    return wait_on(fcm_body_id(body), key, (uint32_t)WAIT_ANY);
}

static inline char *page_memory(uint64_t word) {
    return machine_memory(page_physical(word));
}

/* For what happens now and then only: readers of pages that are there count nothing. */
static inline void fcm_body_count(uint64_t *count, uint64_t more) {
    __atomic_add_fetch(count, more, __ATOMIC_RELAXED);
}

/* Another CPU was in the way. */
static inline void fcm_body_met(struct body *body) {
    fcm_body_count(&body->its.counts.contended, 1);
    advisor_note(fcm_body_id(body));
}

static inline void fcm_body_lock(struct body *body) {
    if (__builtin_expect(k42_lock(&body->lock), 0))
        fcm_body_met(body);
}

/* Whether pages are to be gone; a look only. */
static inline bool fcm_body_is_clearing(const struct body *body) {
    return __atomic_load_n(&body->its.clear.end, __ATOMIC_RELAXED) != 0;
}

/* 0, or -K42_WAIT: somebody else is changing the size. */
K42_MUST_CHECK
k42_result fcm_body_exclude(struct body *body);
void fcm_body_admit(struct body *body);

/* Gives a frame of this FCM's back to the PM that was charged for it. */
void fcm_body_give_frame(struct body *body, uint64_t physical);

/* The PM that chooses among the pages; it may be exchanged by manage(). */
static inline pm_ref fcm_body_pm(const struct body *body) {
    return (pm_ref)__atomic_load_n((const k42_ref *)(const void *)&body->its.pm, __ATOMIC_ACQUIRE);
}

/* ---- body_get.c ---- */

/* With fcm_flags. */
enum {
    BODY_BEYOND = 1 << 8, /* also behind the end, by who is moving it */
    BODY_WANTED = 1 << 9, /* somebody waits for it: a failure is his to hear */
};

k42_result fcm_body_get_page(struct fcm *self, uint64_t index, unsigned flags,
                             struct fcm_page *page);
k42_result fcm_body_put_page(struct fcm *self, uint64_t index);
k42_result fcm_body_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                uint64_t *physical);
k42_result fcm_body_mapped(struct fcm *self, uint64_t first, uint32_t mask);
k42_result fcm_body_expect(struct fcm *self, uint64_t index);
k42_result fcm_body_adopt(struct fcm *self, uint64_t index, uint64_t physical);

/* Gives a page's word, held. Errors: as get_page(). */
K42_MUST_CHECK
k42_result fcm_body_hold(struct body *body, uint64_t index, unsigned flags, uint64_t *word);
/* The same for a read: of a file with nothing behind it, only what is there; else -ENOENT. */
K42_MUST_CHECK
static inline k42_result fcm_body_hold_to_read(struct body *body, uint64_t index, uint64_t *word) {
    return fcm_body_hold(body, index, fcm_body_has_fr(body) ? 0 : FCM_CACHED, word);
}
/* Lets go, with flags that the page has from now on. */
void fcm_body_drop(struct body *body, uint64_t index, uint64_t flags);
/* Makes an absent page one that is being filled, which is the caller's then. -EEXIST: it is not
 * absent. */
K42_MUST_CHECK
k42_result fcm_body_claim(struct body *body, uint64_t index, unsigned flags);
/* Takes a frame for a claimed page. On errors the page is absent again. */
K42_MUST_CHECK
k42_result fcm_body_find_frame(struct body *body, uint64_t index, unsigned flags,
                               uint64_t *physical);
/* A page that is being filled could not be: it is absent, or one of those who want it is told. */
void fcm_body_fail(struct body *body, uint64_t index);
/* The claimed page is there, with these flags and holds; false: it was cut off meanwhile. */
bool fcm_body_settle(struct body *body, uint64_t index, uint64_t add);
/* A page is absent from now on; its frame goes. It is FILLING, or LEAVING and nobody has it. */
void fcm_body_remove(struct body *body, uint64_t index);
/* Notes that the caller waits for a page in transit; returns -K42_WAIT. */
K42_MUST_CHECK
k42_result fcm_body_await(struct body *body, uint64_t index);

/* ---- body_fill.c ---- */

/* Fills a claimed page: 0, FR_STARTED, or an error, and then the page is absent again. */
K42_MUST_CHECK
k42_result fcm_body_fill(struct body *body, uint64_t index);
/* Asks the FR for a claimed page that has a frame: 0, FR_STARTED, or an error. */
K42_MUST_CHECK
k42_result fcm_body_ask(struct body *body, uint64_t index, uint64_t physical);
k42_result fcm_body_filled(struct fcm *self, uint64_t index, k42_result result);

/* ---- body_ahead.c ---- */

/*
 * Begins to fill the absent pages of [first, end), with as few requests as can be, as long as that
 * is easy. Those before `wanted` are somebody's who comes for them at once, and who is told when
 * one fails. Returns the first page that it did not come to.
 */
uint64_t fcm_body_begin(struct body *body, uint64_t first, uint64_t wanted, uint64_t end);
/* Pages of a range that nobody has, are clean, and have none of the flags `but` go; how many. */
uint64_t fcm_body_let_go(struct body *body, uint64_t first, uint64_t end, uint64_t but);
k42_result fcm_body_advise(struct fcm *self, uint64_t first, uint64_t pages,
                           enum fcm_advice advice);
/* A page was absent and has been begun: those behind it, if somebody seems to read in order. */
void fcm_body_read_ahead(struct body *body, uint64_t index);

/* ---- body_clock.c ---- */

k42_result fcm_body_give_back(struct fcm *self, uint64_t wanted);

/* ---- body_leave.c ---- */

/* Takes a page that nobody has, is clean and was not used lately, away. False: it is not so. */
bool fcm_body_evict(struct body *body, uint64_t *slot, uint64_t index);
/* The method leave() of classes whose pages may leave. */
k42_result fcm_body_leave(struct fcm *self, uint64_t index, unsigned flags);
/* Where those end that stay in memory from this page on, or 0: it may leave. */
uint64_t fcm_body_stays_until(struct body *body, uint64_t index, enum fcm_stays how);
/* Takes pages out of every address space. */
K42_MUST_CHECK
k42_result fcm_body_unmap(struct body *body, uint64_t first, uint64_t end);
/* Takes away whatever is mapped in place of pages from this one on: copies of them, too. */
K42_MUST_CHECK
k42_result fcm_body_cut(struct body *body, uint64_t first);
/* Forbids to write pages in every address space. */
K42_MUST_CHECK
k42_result fcm_body_protect(struct body *body, uint64_t first, uint64_t end);
/* Whether a program has used a page since this was last asked; of a block that is mapped as a
 * whole, any page: then all others count as used. */
bool fcm_body_was_accessed(struct body *body, uint64_t index);

/* ---- body_clear.c ---- */

k42_result fcm_body_resize(struct fcm *self, uint64_t size);
k42_result fcm_body_punch(struct fcm *self, uint64_t offset, uint64_t length);
k42_result fcm_body_renew(struct fcm *self, uint64_t size);
/* Goes on with clearing, as far as it can; `exclusive` is held. -K42_WAIT: pages are not free. */
K42_MUST_CHECK
k42_result fcm_body_clear_step(struct body *body);
/*
 * Before the end is moved on, with `exclusive`: makes zero what programs may have written behind
 * it. 0, or -K42_WAIT: the page in which the file ends is being filled, and the end must stay.
 */
K42_MUST_CHECK
k42_result fcm_body_end_settled(struct body *body);
/* Moves the end on; `exclusive` is held, and the pages that get bytes of the file are, too. */
void fcm_body_grow(struct body *body, uint64_t size);

/* ---- body_write_back.c ---- */

/* Pages are dirty, or may be by now. */
static inline void fcm_body_note_dirty(struct body *body) {
    if (!__atomic_load_n(&body->its.dirtied, __ATOMIC_RELAXED))
        __atomic_store_n(&body->its.dirtied, 1, __ATOMIC_RELEASE);
}

/* Begins to write all that is dirty back, as far as that goes without waiting. */
void fcm_body_write_back_all(struct body *body);

k42_result fcm_body_sync(struct fcm *self, uint64_t first, uint64_t pages, unsigned durable);
k42_result fcm_body_written(struct fcm *self, uint64_t index, k42_result result);
/* Begins to write a page back. 0: begun, or over; -EBUSY: held, in transit or clean; -K42_WAIT. */
K42_MUST_CHECK
k42_result fcm_body_write_back(struct body *body, uint64_t *slot, uint64_t index);

/* ---- body_copy.c ---- */

k42_result fcm_body_read(struct fcm *self, uint64_t offset, struct copy *copy);
k42_result fcm_body_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at);

/* Copies what lies in one page, `length` bytes of the file; as copy_out(). */
typedef k42_result body_read_piece(struct body *body, void *context, uint64_t offset, size_t length,
                                   struct copy *copy);

/* Reads page by page; each caller has it compiled with its own way of reading a piece. */
static inline __attribute__((always_inline)) k42_result
fcm_body_read_pieces(struct body *body, uint64_t offset, struct copy *copy,
                     body_read_piece *read_piece, void *context) {
    k42_result done = 0;
    while (copy->left) {
        uint64_t size = fcm_body_bytes(body);
        if (offset >= size)
            break;
        size_t room = PAGE_BYTES - (offset & (PAGE_BYTES - 1));
        size_t length = copy->left < size - offset ? copy->left : size - offset;
        length = length < room ? length : room;
        k42_result got = read_piece(body, context, offset, length, copy);
        if (got == -ENXIO)
            break;
        copy->unfinished = got < (k42_result)length;
        if (got < 0)
            return done ? done : got;
        done += got;
        offset += (uint64_t)got;
        if (copy->unfinished)
            break;
    }
    return done;
}

/* ---- body_state.c ---- */

extern const struct k42_transfer fcm_body_transfers[];
void fcm_body_incoming_free(struct body_incoming *incoming);

extern const struct k42_format fcm_contents_format; /* by pointer, among those that have a body */
k42_result fcm_body_export_contents(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result fcm_body_import_contents(struct k42_root *to, struct k42_state *state, unsigned part);
void fcm_body_contents_given(struct k42_root *from, struct k42_state *state);
size_t fcm_body_measure(struct k42_root *from);
k42_result fcm_body_prepare(struct k42_root *to, struct k42_state *state);
k42_result fcm_body_export_pages(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result fcm_body_import_pages(struct k42_root *to, struct k42_state *state, unsigned part);
void fcm_body_pages_given(struct k42_root *from, struct k42_state *state);

/* Both formats, for a class that has something to put in order before it says what it has. */
#define FCM_BODY_TRANSFERS(contents, pages)                                                        \
    {.format = &fcm_contents_format,                                                               \
     .export_state = contents,                                                                     \
     .import_state = fcm_body_import_contents,                                                     \
     .handed_over = fcm_body_contents_given},                                                      \
    {                                                                                              \
        .format = &fcm_pages_format, .measure = fcm_body_measure, .prepare = fcm_body_prepare,     \
        .export_state = pages, .import_state = fcm_body_import_pages,                              \
        .handed_over = fcm_body_pages_given                                                        \
    }

/* ---- the classes ---- */

/* The methods that all have in common. */
#define FCM_BODY_STEADY_METHODS                                                                    \
    .object.describe = fcm_body_describe, .put_page = fcm_body_put_page,                           \
    .get_present = fcm_body_get_present, .mapped = fcm_body_mapped, .attach = fcm_body_attach,     \
    .detach = fcm_body_detach, .size = fcm_body_size, .seek = fcm_body_seek,                       \
    .sync = fcm_body_sync, .filled = fcm_body_filled, .written = fcm_body_written,                 \
    .counts = fcm_body_counts, .manage = fcm_body_manage, .expect = fcm_body_expect,               \
    .adopt = fcm_body_adopt, .seal = fcm_no_seal

/* And those of a class that has nothing but pages: how they are given back, and what a read begins,
 * sets it apart. */
#define FCM_BODY_METHODS                                                                           \
    FCM_BODY_STEADY_METHODS, .get_page = fcm_body_get_page, .write = fcm_body_write,               \
                             .resize = fcm_body_resize, .punch = fcm_body_punch,                   \
                             .usage = fcm_body_usage, .renew = fcm_body_renew,                     \
                             .advise = fcm_body_advise

#endif
