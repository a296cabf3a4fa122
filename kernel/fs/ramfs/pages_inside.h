/*
 * Inside the pages of a file of ramfs.
 *
 *     pages.c        the class: mapping, and what is not done because the pages are all there is
 *     pages_room.c   pages one by one: made, filled, counted, cleared
 *     pages_bytes.c  reading and writing
 *     pages_size.c   the size, holes, and what is mapped behind the end
 *     pages_seals.c  what is not done to them any more
 *
 * Owner and locking: pages->lock, leaf, guards the tree and the size; see pages.c.
 */
#ifndef KERNEL_RAMFS_PAGES_INSIDE_H
#define KERNEL_RAMFS_PAGES_INSIDE_H

#include "../../body.h"
#include "../../copy.h"
#include "../../mem/fcm/attachments.h"
#include "page_table.h"
#include "pages.h"

#include <errno.h>
#include <k42/lock.h>
#include <string.h>

enum { PAGE = 4096 };
#define MOST_SIZE 0x7fffffffffffffffl

struct pages {
    struct k42_lock lock;
    uint64_t size;
    struct page_table table;
    struct ramfs *fs;           /* whose pages they are; kept */
    struct ramfs_source source; /* clipped when the file is */
    struct attachments attachments;
    uint64_t room; /* pages that count; and whether no more may: pages_room.c */
    uint32_t keepers;
    unsigned seals;   /* enum fcm_seals, or PAGES_UNSEALED; changed as pages_seals.c says */
    uint32_t writers; /* calls that copy into it, while seals may come */
    bool sealing;     /* somebody waits for them to end, and others to begin */
    uint64_t writable_mappings; /* attachments that may be written to */
};

/* A page's memory and its record. */
struct page {
    char *bytes;
    bool given_out;
    uint32_t kept_for; /* room for what will be written, of which call; 0: it is data */
    struct k42_defer defer;
};

#define PAGES(self) ((struct pages *)BODY(self))

/* With the lock: the page, made if it is not there. -ENOMEM, -ENOSPC. */
k42_result pages_get(struct pages *pages, uint64_t index, struct page **found);
/* A page that is counted, but not there: nobody sees it until it is entered, and its bytes are
 * anything. -ENOMEM, -ENOSPC. */
K42_MUST_CHECK
k42_result pages_begin_new(struct pages *pages, struct page **made);
/* With the lock: the page that is there now: this one, or that of somebody who came first, and then
 * this one is to be dropped. NULL: no memory. */
struct page *pages_enter_new(struct pages *pages, uint64_t index, struct page *page);
void pages_drop_new(struct pages *pages, struct page *page);
/* Makes these pages, and on failure none of them: -ENOMEM, -ENOSPC. */
K42_MUST_CHECK
k42_result pages_keep_room(struct pages *pages, uint64_t first, uint64_t end);
/* With the lock: what is there of these pages is to be zero, and where nobody has it, not there. */
void pages_clear(struct pages *pages, uint64_t first, uint64_t end);
/* All pages, when the file ends. */
void pages_free(struct pages *pages);

k42_result pages_read(struct fcm *self, uint64_t offset, struct copy *copy);
k42_result pages_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at);

/* Takes away what is mapped behind the end, copies of programs' own included. Errors: -K42_WAIT,
 * -ENOMEM, and then some is left. */
K42_MUST_CHECK
k42_result pages_cut(struct pages *pages);
/* How many pages there are. */
static inline uint64_t pages_end(const struct pages *pages) {
    return (__atomic_load_n(&pages->size, __ATOMIC_RELAXED) + PAGE - 1) / PAGE;
}

k42_result pages_size(struct fcm *self);
k42_result pages_resize(struct fcm *self, uint64_t size);
k42_result pages_punch(struct fcm *self, uint64_t offset, uint64_t length);
k42_result pages_seek(struct fcm *self, uint64_t offset, enum fcm_seek what);

/* Around a write: the seals, which do not change meanwhile. -EPERM; -K42_WAIT. */
K42_MUST_CHECK
k42_result pages_write_begins(struct fcm *self);
void pages_write_ends(struct fcm *self, unsigned seals);
k42_result pages_seal(struct fcm *self, unsigned seals);

static inline uint64_t round_up(uint64_t offset) {
    return (offset + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

#endif
