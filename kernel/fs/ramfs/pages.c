/*
 * FCM, in memory only: the pages of a file of ramfs.
 *
 * A page is made when it is first written or mapped. Until then its bytes are the source's, or
 * zero, and are read from there. A page that was given out to be mapped stays until the file ends
 * and becomes zero instead of going; nothing is ever written back or given back.
 *
 * Behind the end nothing stays mapped. Who cuts the file sets the size and takes away then; who
 * maps, or copies for a program of its own, looks at the size once more afterwards (mapped,
 * put_page). Both take the lock of the HAT's slot in between: so what was entered before is taken
 * away, and who enters afterwards sees the size.
 *
 * Locking: pages->lock, leaf; never held while bytes are copied to or from a caller.
 * Formats: fcm.ramfs, by pointer.
 * Fails:   -ENOMEM; -ENOSPC, the file system has as many pages as it may.
 */
#include "../../mem/fcm/unmanaged.h"
#include "../../mem/frame/frame.h"
#include "../../mem/heap/heap.h"
#include "../../mem/pm/pm.h"
#include "pages_inside.h"
#include "runtime.h"

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
        result = pages_get(pages, index, &page);
    if (result == 0) {
        page->given_out = true;
        page->kept_for = 0;
        *given = (struct fcm_page){
            .physical = machine_physical(page->bytes), .writable = 1, .index = index};
    }
    k42_unlock(&pages->lock);
    return result;
}

static k42_result pages_put_page(struct fcm *self, uint64_t index) {
    struct pages *pages = PAGES(self);
    return index < pages_end(pages) ? 0 : pages_cut(pages);
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
            page->kept_for = 0;
            physical[at - first] = machine_physical(page->bytes);
            mask |= 1u << (at - first);
        }
        at = stop;
    }
    k42_unlock(&pages->lock);
    return mask;
}

static k42_result pages_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    struct pages *pages = PAGES(self);
    unsigned last = mask ? 31 - (unsigned)__builtin_clz(mask) : 0;
    return first + last < pages_end(pages) ? 0 : pages_cut(pages);
}

static k42_result pages_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct pages *pages = PAGES(self);
    struct attachment *kept = k42_platform_alloc(sizeof *kept);
    if (!kept)
        return -ENOMEM;
    *kept = (struct attachment){.what = *attachment};
    k42_lock(&pages->lock);
    bool is_sealed = attachment->writable && pages->seals & FCM_SEAL_WRITE;
    if (!is_sealed) {
        attachments_add(&pages->attachments, kept);
        pages->writable_mappings += attachment->writable;
    }
    k42_unlock(&pages->lock);
    if (is_sealed)
        k42_platform_free(kept);
    return is_sealed ? -K42_RETRY : 0;
}

static k42_result pages_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    struct attachment *kept = attachments_take(&pages->attachments, attachment);
    pages->writable_mappings -= kept && kept->what.writable;
    uint64_t left = pages->attachments.count;
    k42_unlock(&pages->lock);
    k42_platform_free(kept);
    return kept ? (k42_result)left : -EINVAL;
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
                                .attachments = pages->attachments.count,
                                .frames = pages->table.count};
    k42_unlock(&pages->lock);
    return 0;
}

/* Nothing comes from anywhere, and nothing goes. */
static k42_result pages_counts(struct fcm *self, struct fcm_counts *counts) {
    (void)self;
    *counts = (struct fcm_counts){.misses = 0};
    return 0;
}

static k42_result pages_advise(struct fcm *self, uint64_t first, uint64_t pages,
                               enum fcm_advice advice) {
    return advice == FCM_NEEDED ? pages_keep_room(PAGES(self), first, first + pages) : 0;
}

/* Nothing is claimed: of those who bring the same page the first does. */
static k42_result pages_expect(struct fcm *self, uint64_t index) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    bool there = page_table_find(&pages->table, index);
    k42_unlock(&pages->lock);
    return index >= pages_end(pages) ? -ENXIO : there ? -EEXIST : 0;
}

/* A page of ours is the heap's: the frame is copied, and goes back to where it came from. */
static k42_result pages_adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    struct pages *pages = PAGES(self);
    struct page *page;
    if (!physical)
        return 0;
    k42_lock(&pages->lock);
    k42_result result = page_table_find(&pages->table, index) ? -EEXIST : 0;
    if (pages->seals & FCM_SEAL_WRITE)
        result = -EPERM;
    if (result == 0)
        result = index < pages_end(pages) ? pages_get(pages, index, &page) : -ENXIO;
    if (result == 0)
        memcpy(page->bytes, machine_memory(physical), PAGE);
    k42_unlock(&pages->lock);
    if (result < 0)
        return result;
    k42_result given =
        k42_call((pm_ref)k42_id_ref((k42_id)frame_at(physical)->user[0]), give, physical, 0, 0);
    (void)given; /* that PM is the machine's */
    return 0;
}

static k42_result pages_renew(struct fcm *self, uint64_t size) {
    (void)self, (void)size;
    return -ENOTSUP;
}

static k42_result pages_describe(struct k42_object *self, char *text, size_t size) {
    struct pages *pages = PAGES(self);
    return (k42_result)k42_format_text(text, size, "%lu bytes in %lu pages of memory", pages->size,
                                       pages->table.count);
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
    .leave = fcm_unmanaged_leave,
    .manage = fcm_unmanaged_manage,
    .expect = pages_expect,
    .adopt = pages_adopt,
    .renew = pages_renew,
    .counts = pages_counts,
    .advise = pages_advise,
    .seal = pages_seal,
};

static void pages_fini(struct k42_root *root) {
    struct pages *pages = body_of_root(root);
    if (!pages)
        return;
    for (struct attachment *one; (one = attachments_take_any(&pages->attachments));)
        k42_platform_free(one);
    pages_free(pages);
    ramfs_let_go(pages->fs);
    k42_platform_free(pages);
}

static const struct k42_format pages_format = {"fcm.ramfs", 3, 2};
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

k42_result pages_make(struct ramfs *fs, const struct ramfs_source *source, unsigned seals,
                      k42_ref *fcm, uint64_t **room) {
    struct pages *pages = k42_platform_alloc(sizeof(*pages));
    if (!pages)
        return -ENOMEM;
    pages->fs = fs;
    pages->attachments.random = 1;
    pages->source = *source;
    pages->size = source->size;
    pages->seals = seals;
    *room = &pages->room;
    ramfs_keep(fs);
    k42_result result = k42_make(&ramfs_pages, pages, fcm);
    if (result < 0) {
        ramfs_let_go(fs);
        k42_platform_free(pages);
    }
    return result;
}
