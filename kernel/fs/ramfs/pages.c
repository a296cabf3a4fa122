/*
 * FCM, in memory only: the pages of a file of ramfs.
 *
 * A page is made when it is first written or mapped. Until then its bytes are the source's, or
 * zero, and are read from there. The lock guards the tree and the size and is never held while
 * bytes are copied to or from a caller: a page that is taken out is freed a grace period later, so
 * whoever found it may go on. A page that was given out to be mapped stays until the file ends and
 * becomes zero instead of going.
 *
 * Room. Pages are counted in the file system, and by `room` in the file. A file that nobody can
 * reach any more gives its room back at once, its memory a grace period later: pages_abandon() sets
 * a bit of that count and takes what it was. A page that is counted before the bit is set is in
 * what was taken; one that comes later, by a call that was under way, finds the bit and is refused;
 * one that goes later was counted back already. So each is counted back once, without a lock, by
 * whoever drops the last life, under whatever locks.
 *
 * Locking: pages->lock, leaf.
 * Formats: fcm.ramfs, by pointer.
 * Fails:   -ENOMEM; -ENOSPC, the file system has as many pages as it may.
 */
#include "pages.h"

#include "../../copy.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/heap/heap.h"
#include "page_table.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { PAGE = 4096 };
#define MOST_SIZE 0x7fffffffffffffffl
#define ABANDONED (1ul << 63)

struct pages {
    struct k42_lock lock;
    uint64_t size;
    struct page_table table;
    struct ramfs *fs;           /* whose pages they are; kept */
    struct ramfs_source source; /* clipped when the file is */
    uint64_t mapped;            /* attachments */
    uint64_t room;              /* pages that count; ABANDONED: no more */
};

/* A page's memory and its record. */
struct page {
    char *bytes;
    bool given_out;
    struct k42_defer defer;
};

#define PAGES(self) ((struct pages *)BODY(self))

static void free_page(struct page *page) {
    heap_free(page->bytes);
    k42_platform_free(page);
}

static void free_later(struct k42_defer *defer) {
    free_page(k42_container(defer, struct page, defer));
}

/* One page more of the file system's; false: it may not have more. */
static bool charge(struct pages *pages) {
    struct ramfs *fs = pages->fs;
    uint64_t all = __atomic_add_fetch(&fs->pages, 1, __ATOMIC_RELAXED);
    if ((!fs->most_pages || all <= fs->most_pages) &&
        !(__atomic_fetch_add(&pages->room, 1, __ATOMIC_RELAXED) & ABANDONED))
        return true;
    __atomic_sub_fetch(&fs->pages, 1, __ATOMIC_RELAXED);
    return false;
}

static void discharge(struct pages *pages) {
    if (!(__atomic_fetch_sub(&pages->room, 1, __ATOMIC_RELAXED) & ABANDONED))
        __atomic_sub_fetch(&pages->fs->pages, 1, __ATOMIC_RELAXED);
}

void pages_abandon(struct ramfs *fs, uint64_t *room) {
    uint64_t pages = __atomic_fetch_or(room, ABANDONED, __ATOMIC_RELAXED);
    if (!(pages & ABANDONED))
        __atomic_sub_fetch(&fs->pages, pages, __ATOMIC_RELAXED);
}

static struct page *make_page(void) {
    struct page *page = k42_platform_alloc(sizeof(*page));
    if (!page)
        return NULL;
    page->bytes = heap_allocate(PAGE);
    if (!page->bytes) {
        k42_platform_free(page);
        return NULL;
    }
    return page;
}

/* Fills a new page with what the source has there. */
static void fill(const struct pages *pages, struct page *page, uint64_t index) {
    uint64_t at = index * PAGE, bytes = 0;
    if (at < pages->source.size)
        bytes = pages->source.size - at < PAGE ? pages->source.size - at : PAGE;
    if (bytes)
        memcpy(page->bytes, pages->source.bytes + at, bytes);
    memset(page->bytes + bytes, 0, PAGE - bytes);
}

/* With the lock: the page, made if it is not there. -ENOMEM, -ENOSPC. */
static k42_result get(struct pages *pages, uint64_t index, struct page **found) {
    *found = page_table_find(&pages->table, index);
    if (*found)
        return 0;
    if (!charge(pages))
        return -ENOSPC;
    struct page *page = make_page();
    if (page)
        fill(pages, page, index);
    if (page && page_table_add(&pages->table, index, page)) {
        *found = page;
        return 0;
    }
    if (page)
        free_page(page);
    discharge(pages);
    return -ENOMEM;
}

/* With the lock: the page is to be zero, and if nobody has it, not there. */
static void clear(struct pages *pages, uint64_t index, struct page *page) {
    if (page->given_out) {
        memset(page->bytes, 0, PAGE);
        return;
    }
    page_table_remove(&pages->table, index);
    discharge(pages);
    k42_defer(&page->defer, free_later);
}

static void clear_pages(struct pages *pages, uint64_t first, uint64_t end) {
    uint64_t at = first;
    for (struct page *page; at < end && (page = page_table_next(&pages->table, &at)) && at < end;
         at++)
        clear(pages, at, page);
}

/* ---- pages for mapping ---- */

static k42_result pages_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                 struct fcm_page *given) {
    struct pages *pages = PAGES(self);
    k42_result result = 0;
    k42_lock(&pages->lock);
    struct page *page = page_table_find(&pages->table, index);
    if (index >= (pages->size + PAGE - 1) / PAGE)
        result = -ENXIO;
    else if (!page && (flags & FCM_CACHED))
        result = -ENOENT;
    else if (!page)
        result = get(pages, index, &page);
    if (result == 0) {
        page->given_out = true;
        *given = (struct fcm_page){
            .physical = machine_physical(page->bytes), .writable = 1, .index = index};
    }
    k42_unlock(&pages->lock);
    return result;
}

static k42_result pages_put_page(struct fcm *self, uint64_t index) {
    (void)self, (void)index;
    return 0;
}

static k42_result pages_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                    uint64_t *physical) {
    struct pages *pages = PAGES(self);
    uint32_t mask = 0;
    uint64_t count = bytes / sizeof *physical < 32 ? bytes / sizeof *physical : 32;
    k42_lock(&pages->lock);
    uint64_t last = (pages->size + PAGE - 1) / PAGE;
    uint64_t end = last < first ? first : last - first < count ? last : first + count;
    for (uint64_t at = first; at < end;) {
        unsigned room;
        void *const *run = page_table_run(&pages->table, at, &room);
        uint64_t stop = end - at < room ? end : at + room;
        for (; run && at < stop; at++, run++) {
            struct page *page = *run;
            if (!page)
                continue;
            page->given_out = true;
            physical[at - first] = machine_physical(page->bytes);
            mask |= 1u << (at - first);
        }
        at = stop;
    }
    k42_unlock(&pages->lock);
    return mask;
}

static k42_result pages_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    (void)self, (void)first, (void)mask;
    return 0;
}

static k42_result pages_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    (void)attachment;
    __atomic_add_fetch(&PAGES(self)->mapped, 1, __ATOMIC_RELAXED);
    return 0;
}

static k42_result pages_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    (void)attachment;
    __atomic_sub_fetch(&PAGES(self)->mapped, 1, __ATOMIC_RELAXED);
    return 0;
}

/* ---- bytes ---- */

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

static k42_result pages_read(struct fcm *self, uint64_t offset, struct copy *copy) {
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

/* Where bytes are to be written, with the page there; the end is moved when they are. */
static k42_result find_room(struct pages *pages, uint64_t offset, char **room) {
    struct page *page;
    k42_lock(&pages->lock);
    k42_result result = get(pages, offset / PAGE, &page);
    k42_unlock(&pages->lock);
    *room = result == 0 ? page->bytes + offset % PAGE : NULL;
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

static k42_result write_at(struct pages *pages, uint64_t offset, struct copy *copy) {
    k42_result done = 0;
    while (copy->left) {
        char *to;
        k42_result result = find_room(pages, offset, &to);
        if (result < 0)
            return done ? done : result;
        k42_result copied = copy_in(copy, to, PAGE - offset % PAGE);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        offset += (uint64_t)copied;
        grow_to(pages, offset);
    }
    return done;
}

static k42_result pages_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    struct pages *pages = PAGES(self);
    size_t wanted = copy->left;
    bool append = offset == FCM_APPEND;
    if (append)
        offset = take_end(pages, wanted);
    k42_result done;
    if (offset > MOST_SIZE || wanted > MOST_SIZE - offset)
        done = -EFBIG;
    else
        done = write_at(pages, offset, copy);
    if (append && done < (k42_result)wanted)
        give_end(pages, offset + wanted, offset + (done > 0 ? (uint64_t)done : 0));
    if (at)
        *at = offset;
    return done;
}

/* ---- the size, holes ---- */

static k42_result pages_size(struct fcm *self) {
    return (k42_result)__atomic_load_n(&PAGES(self)->size, __ATOMIC_RELAXED);
}

/* With the lock: bytes of one page become zero, if it is there. */
static void zero_part(struct pages *pages, uint64_t from, uint64_t to) {
    struct page *page = from < to ? page_table_find(&pages->table, from / PAGE) : NULL;
    if (page)
        memset(page->bytes + from % PAGE, 0, to - from);
}

static uint64_t round_up(uint64_t offset) {
    return (offset + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static k42_result pages_resize(struct fcm *self, uint64_t size) {
    struct pages *pages = PAGES(self);
    if (size > MOST_SIZE)
        return -EFBIG;
    k42_lock(&pages->lock);
    if (size < pages->size) {
        zero_part(pages, size, round_up(size));
        clear_pages(pages, round_up(size) / PAGE, ~0ul);
        if (pages->source.size > size)
            pages->source.size = size;
    }
    __atomic_store_n(&pages->size, size, __ATOMIC_RELAXED);
    k42_unlock(&pages->lock);
    return 0;
}

/* With the lock: what a hole's pages are from now on is in pages of their own, no more in the
 * source. -ENOMEM, -ENOSPC. */
static k42_result leave_source(struct pages *pages) {
    struct page *page;
    k42_result result = 0;
    for (uint64_t at = 0; at < pages->source.size && result == 0; at += PAGE)
        result = get(pages, at / PAGE, &page);
    if (result == 0)
        pages->source.size = 0;
    return result;
}

static k42_result pages_punch(struct fcm *self, uint64_t offset, uint64_t length) {
    struct pages *pages = PAGES(self);
    uint64_t end = offset + length, first = round_up(offset), last = end & ~(uint64_t)(PAGE - 1);
    k42_lock(&pages->lock);
    k42_result result = offset >= pages->source.size ? 0 : leave_source(pages);
    if (result == 0 && first > last) {
        zero_part(pages, offset, end);
    } else if (result == 0) {
        zero_part(pages, offset, first);
        clear_pages(pages, first / PAGE, last / PAGE);
        zero_part(pages, last, end);
    }
    k42_unlock(&pages->lock);
    return result;
}

static k42_result pages_seek(struct fcm *self, uint64_t offset, enum fcm_seek what) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    uint64_t size = pages->size, source_end = round_up(pages->source.size);
    uint64_t at = offset / PAGE;
    if (offset < size && what == FCM_SEEK_DATA && offset >= source_end)
        at = page_table_next(&pages->table, &at) ? at : ~0ul / PAGE;
    if (offset < size && what == FCM_SEEK_HOLE) {
        if (at * PAGE < source_end)
            at = source_end / PAGE;
        while (at * PAGE < size && page_table_find(&pages->table, at))
            at++;
    }
    k42_unlock(&pages->lock);
    uint64_t found = at * PAGE > offset ? at * PAGE : offset;
    if (offset >= size || (what == FCM_SEEK_DATA && found >= size))
        return -ENXIO;
    return (k42_result)(found < size ? found : size);
}

static k42_result pages_sync(struct fcm *self, uint64_t first, uint64_t count, unsigned durable) {
    (void)self, (void)first, (void)count, (void)durable;
    return 0;
}

static k42_result pages_give_back(struct fcm *self, uint64_t wanted) {
    (void)self, (void)wanted;
    return 0;
}

static k42_result pages_filled(struct fcm *self, uint64_t index, k42_result result) {
    (void)self, (void)index, (void)result;
    return -EINVAL;
}

static k42_result pages_usage(struct fcm *self, struct fcm_usage *usage) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    uint64_t source = round_up(pages->source.size) / PAGE;
    uint64_t present = pages->table.count > source ? pages->table.count : source;
    *usage = (struct fcm_usage){.present = present,
                                .dirty = pages->table.count,
                                .attachments = pages->mapped,
                                .frames = pages->table.count};
    k42_unlock(&pages->lock);
    return 0;
}

static k42_result pages_describe(struct k42_object *self, char *text, size_t size) {
    struct pages *pages = PAGES(self);
    return (k42_result)k42_format_text(text, size, "%lu bytes in %lu pages of memory", pages->size,
                                       pages->table.count);
}

static k42_result leave(struct fcm *self, uint64_t index, unsigned flags) {
    (void)self, (void)index, (void)flags;
    return -EBUSY;
}

static k42_result manage(struct fcm *self, k42_ref pm) {
    (void)self, (void)pm;
    return -ENOTSUP;
}

static k42_result expect(struct fcm *self, uint64_t index) {
    (void)self, (void)index;
    return -ENOTSUP;
}

static k42_result adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    (void)self, (void)index, (void)physical;
    return -ENOTSUP;
}

static const struct fcm_ops pages_ops = {
    .object.describe = pages_describe,
    .get_page = pages_get_page,
    .put_page = pages_put_page,
    .get_present = pages_get_present,
    .mapped = pages_mapped,
    .attach = pages_attach,
    .detach = pages_detach,
    .read = pages_read,
    .write = pages_write,
    .size = pages_size,
    .resize = pages_resize,
    .punch = pages_punch,
    .seek = pages_seek,
    .sync = pages_sync,
    .give_back = pages_give_back,
    .filled = pages_filled,
    .written = pages_filled,
    .usage = pages_usage,
    .leave = leave,
    .manage = manage,
    .expect = expect,
    .adopt = adopt,
};

static void pages_fini(struct k42_root *root) {
    struct pages *pages = body_of_root(root);
    uint64_t at = 0;
    if (!pages)
        return;
    for (struct page *page; (page = page_table_next(&pages->table, &at)); at++)
        free_page(page);
    pages_abandon(pages->fs, &pages->room);
    ramfs_let_go(pages->fs);
    page_table_end(&pages->table);
    k42_platform_free(pages);
}

static const struct k42_format pages_format = {"fcm.ramfs", 1, 1};
static const struct k42_transfer pages_transfers[] = BODY_TRANSFERS(pages_format);

K42_CLASS(ramfs_pages) = {
    .name = "fcm.ramfs",
    .interface = &fcm_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &pages_ops,
    .fini = pages_fini,
    .transfers = pages_transfers,
};

k42_result pages_make(struct ramfs *fs, const struct ramfs_source *source, k42_ref *fcm,
                      uint64_t **room) {
    struct pages *pages = k42_platform_alloc(sizeof(*pages));
    if (!pages)
        return -ENOMEM;
    pages->fs = fs;
    pages->source = *source;
    pages->size = source->size;
    *room = &pages->room;
    ramfs_keep(fs);
    k42_result result = k42_create(&ramfs_pages, pages, fcm);
    if (result < 0) {
        ramfs_let_go(fs);
        k42_platform_free(pages);
    }
    return result;
}
