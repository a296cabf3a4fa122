/*
 * Reading and writing the bytes of a file of ramfs.
 *
 * The lock is not held while bytes are copied: a page that is taken out is freed a grace period
 * later, so whoever found it may go on. Several pages are found at a time and copied at a time.
 *
 * A page that a write makes becomes the file's when the bytes are in it, so only what they leave of
 * it is zeroed, and nobody sees what was in that memory before. Of two who make the same page the
 * second copies his bytes over to that of the first.
 *
 * Fails: what a copy does, and what pages_get() does; with part of it done, that part counts.
 */
#include "pages_inside.h"

enum { BATCH = 16 };

/* Bytes of one page, or of the source, or zeros. */
static struct copy_piece piece_at(const struct pages *pages, const struct page *page,
                                  uint64_t offset, uint64_t end) {
    size_t within = offset % PAGE, bytes = PAGE - within;
    bytes = bytes < end - offset ? bytes : end - offset;
    if (page)
        return (struct copy_piece){page->bytes + within, bytes};
    if (offset >= pages->source.size)
        return (struct copy_piece){NULL, bytes};
    uint64_t behind = pages->source.size - offset;
    return (struct copy_piece){pages->source.bytes + offset, bytes < behind ? bytes : behind};
}

/* Whole pages from the start of a run; returns how many. */
static unsigned whole_pages(void *const *run, unsigned most, struct copy_piece *pieces) {
    const struct page *page;
    unsigned n = 0;
    for (; n < most && (page = run[n]); n++)
        pieces[n] = (struct copy_piece){page->bytes, PAGE};
    return n;
}

/* What is to be read from an offset on: the first pieces of it. Returns how many. */
static unsigned find_pieces(struct pages *pages, uint64_t offset, size_t wanted,
                            struct copy_piece *pieces) {
    unsigned count = 0, together;
    k42_lock(&pages->lock);
    uint64_t left = offset < pages->size ? pages->size - offset : 0;
    uint64_t end = offset + (left < wanted ? left : wanted);
    while (offset < end && count < BATCH) {
        void *const *run = page_table_run(&pages->table, offset / PAGE, &together);
        if (run && *run && offset % PAGE == 0 && end - offset >= PAGE) {
            uint64_t most = (end - offset) / PAGE;
            most = most < together ? most : together;
            most = most < BATCH - count ? most : BATCH - count;
            unsigned found = whole_pages(run, (unsigned)most, pieces + count);
            offset += (uint64_t)found * PAGE;
            count += found;
        } else {
            pieces[count] = piece_at(pages, run ? *run : NULL, offset, end);
            offset += pieces[count++].length;
        }
    }
    k42_unlock(&pages->lock);
    return count;
}

k42_result pages_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct copy_piece pieces[BATCH];
    k42_result done = 0;
    while (copy->left) {
        unsigned count = find_pieces(PAGES(self), offset + (uint64_t)done, copy->left, pieces);
        if (!count)
            break;
        k42_result copied = copy_out_pieces(copy, pieces, count);
        copy->unfinished = copied <= 0;
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
    }
    return done;
}

/* Where bytes are to be written, which the seals may refuse: behind the file's end. */
struct room {
    uint64_t offset, end;
    unsigned seals;
};

/* The page that bytes are to be written to; NULL: there is none, and nothing that one would begin
 * with but zeros. The end is moved when they are there. */
static k42_result find_page(struct pages *pages, const struct room *room, struct page **page) {
    uint64_t index = room->offset / PAGE;
    k42_result result = 0;
    k42_lock(&pages->lock);
    *page = page_table_find(&pages->table, index);
    if (room->seals & FCM_SEAL_GROW && room->end > pages->size)
        result = -EPERM;
    else if (*page || index * PAGE < pages->source.size)
        result = pages_get(pages, index, page);
    k42_unlock(&pages->lock);
    return result;
}

static k42_result write_to(struct page *page, uint64_t offset, struct copy *copy) {
    size_t within = offset % PAGE;
    return copy_in(copy, page->bytes + within, PAGE - within);
}

/* The bytes are in a new page: it becomes the file's. */
static k42_result enter(struct pages *pages, uint64_t offset, struct page *page, size_t bytes) {
    size_t within = offset % PAGE, end = within + bytes;
    memset(page->bytes, 0, within);
    memset(page->bytes + end, 0, PAGE - end);
    k42_lock(&pages->lock);
    struct page *there = pages_enter_new(pages, offset / PAGE, page);
    if (there && there != page)
        memcpy(there->bytes + within, page->bytes + within, bytes);
    k42_unlock(&pages->lock);
    if (there != page)
        pages_drop_new(pages, page);
    return there ? (k42_result)bytes : -ENOMEM;
}

/* To a page that is not there. What could not be entered was not taken from the source. */
static k42_result write_new(struct pages *pages, uint64_t offset, struct copy *copy) {
    struct copy before = *copy;
    struct page *page;
    k42_result result = pages_begin_new(pages, &page);
    if (result < 0)
        return result;
    result = write_to(page, offset, copy);
    if (result <= 0) {
        pages_drop_new(pages, page);
        return result;
    }
    result = enter(pages, offset, page, (size_t)result);
    if (result < 0)
        *copy = before;
    return result;
}

static void grow_to(struct pages *pages, uint64_t size) {
    if (size <= __atomic_load_n(&pages->size, __ATOMIC_RELAXED))
        return;
    k42_lock(&pages->lock);
    if (size > pages->size)
        __atomic_store_n(&pages->size, size, __ATOMIC_RELAXED);
    k42_unlock(&pages->lock);
}

/* Appending: the end is moved first, so that two who append get two places. */
static uint64_t take_end(struct pages *pages, size_t bytes) {
    k42_lock(&pages->lock);
    uint64_t at = pages->size;
    __atomic_store_n(&pages->size, at + bytes, __ATOMIC_RELAXED);
    k42_unlock(&pages->lock);
    return at;
}

/* Moves the end back behind what was written, unless others have appended since. */
static void give_end(struct pages *pages, uint64_t from, uint64_t to) {
    k42_lock(&pages->lock);
    if (pages->size == from)
        __atomic_store_n(&pages->size, to, __ATOMIC_RELAXED);
    k42_unlock(&pages->lock);
}

/* What may not grow may have been made smaller meanwhile, and stays so. */
static k42_result write_at(struct pages *pages, uint64_t offset, unsigned seals,
                           struct copy *copy) {
    k42_result done = 0;
    while (copy->left) {
        struct page *page;
        size_t piece = PAGE - offset % PAGE;
        piece = piece < copy->left ? piece : copy->left;
        struct room room = {offset, offset + piece, seals};
        k42_result copied = find_page(pages, &room, &page);
        if (copied >= 0)
            copied = page ? write_to(page, offset, copy) : write_new(pages, offset, copy);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        offset += (uint64_t)copied;
        if (!(seals & FCM_SEAL_GROW))
            grow_to(pages, offset);
    }
    return done;
}

/* At the end, which no seal keeps where it is. */
static k42_result append(struct pages *pages, struct copy *copy, uint64_t *at) {
    size_t wanted = copy->left;
    *at = take_end(pages, wanted);
    k42_result done =
        *at > MOST_SIZE || wanted > MOST_SIZE - *at ? -EFBIG : write_at(pages, *at, 0, copy);
    if (done < (k42_result)wanted)
        give_end(pages, *at + wanted, *at + (done > 0 ? (uint64_t)done : 0));
    return done;
}

k42_result pages_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    struct pages *pages = PAGES(self);
    size_t wanted = copy->left;
    k42_result seals = wanted ? pages_write_begins(self) : 0, done;
    if (!wanted || seals < 0)
        return seals;
    if (offset == FCM_APPEND)
        done = seals & FCM_SEAL_GROW ? -EPERM : append(pages, copy, &offset);
    else if (offset > MOST_SIZE || wanted > MOST_SIZE - offset)
        done = -EFBIG;
    else
        done = write_at(pages, offset, (unsigned)seals, copy);
    pages_write_ends(self, (unsigned)seals);
    if (at)
        *at = offset;
    return done;
}
