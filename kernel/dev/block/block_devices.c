/*
 * Disks as devices of programs: their sectors through a page cache.
 *
 * The FR of a disk's pages is an object of class fr.block. A page or a run of them is one request,
 * whose data goes straight between disk and frames; it takes a record on the heap while it is under
 * way.
 *
 * Owns: struct disk_pages for each disk, for ever. Locking: that of `flushed`, leaf. Fails: -ENOMEM
 * when a disk is opened for the first time; -EIO, which the disk reports with the sectors.
 */
#include "block_devices.h"

#include "../../fs/devices.h"
#include "../../fs/open_file.h"
#include "../../mem/fcm/file_pages.h"
#include "../../mem/machine.h"
#include "../../print.h"
#include "../names.h"
#include "../once.h"
#include "block.h"
#include "runtime.h"

enum { MAJOR = 254, MINORS = 16, KEY_FLUSHED = 1 };

#define PAGE_SECTORS (4096u / BLOCK_SECTOR)

struct disk_pages {
    struct device device;
    char name[DEVICE_NAME_BYTES];
    block_ref disk;
    uint32_t run;         /* pages that a request can have */
    struct k42_lock lock; /* of the next two */
    k42_ref fr, fcm;      /* made by the first who opens it */
    struct once flushed;
    struct block_request flush;
};

/* Pages on their way. */
struct page_request {
    struct block_request request;
    k42_ref fcm;
    uint64_t index;
    struct block_piece pieces[];
};

/* ---- the FR ---- */

static k42_result tell(const struct page_request *pages, unsigned page) {
    const struct block_request *request = &pages->request;
    fcm_ref fcm = (fcm_ref)pages->fcm;
    return request->operation == BLOCK_READ
               ? k42_call(fcm, filled, pages->index + page, request->result)
               : k42_call(fcm, written, pages->index + page, request->result);
}

/* An FCM that is gone does not want the other pages either. */
static void pages_are_over(struct block_request *request) {
    struct page_request *pages = k42_container(request, struct page_request, request);
    for (unsigned i = 0; i < request->piece_count; i++)
        if (tell(pages, i) == -K42_STALE)
            break;
    k42_platform_free(pages);
}

/* As many of the pages as fit into a request; returns how many. */
static k42_result transfer(struct fr *self, const struct fr_run *run,
                           enum block_operation operation) {
    struct disk_pages *pages = BODY(self);
    unsigned count = run->count < pages->run ? run->count : pages->run;
    struct page_request *made = k42_platform_alloc(sizeof *made + count * sizeof *made->pieces);
    if (!made)
        return -ENOMEM;
    uint64_t sectors = 0, left = run->bytes;
    for (unsigned i = 0; i < count; i++) {
        uint64_t here = left < MACHINE_PAGE_SIZE ? left : MACHINE_PAGE_SIZE;
        uint64_t whole = (here + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
        made->pieces[i] = (struct block_piece){run->physical[i], (uint32_t)(whole * BLOCK_SECTOR)};
        sectors += whole;
        left -= here;
    }
    made->fcm = run->fcm;
    made->index = run->index;
    made->request = (struct block_request){.operation = operation,
                                           .sector = run->index * PAGE_SECTORS,
                                           .count = sectors,
                                           .pieces = made->pieces,
                                           .piece_count = count,
                                           .done = pages_are_over};
    k42_result result = k42_call(pages->disk, submit, &made->request);
    if (result == 0)
        return (k42_result)count;
    k42_platform_free(made);
    return result == -ENXIO ? -ENOSPC : result == -ENODEV || result == -K42_STALE ? -EIO : result;
}

static k42_result transfer_page(struct fr *self, const struct fr_page *page,
                                enum block_operation operation) {
    struct fr_run run = {.fcm = page->fcm,
                         .index = page->index,
                         .bytes = page->bytes,
                         .count = 1,
                         .physical = {page->physical}};
    k42_result result = transfer(self, &run, operation);
    return result < 0 ? result : FR_STARTED;
}

static k42_result fr_fill(struct fr *self, const struct fr_page *page) {
    return transfer_page(self, page, BLOCK_READ);
}

static k42_result fr_fill_run(struct fr *self, const struct fr_run *run) {
    return transfer(self, run, BLOCK_READ);
}

static k42_result fr_write(struct fr *self, const struct fr_page *page) {
    return transfer_page(self, page, BLOCK_WRITE);
}

/* A disk has the size it has; its end as a file is never moved by resize(). */
static k42_result fr_resize(struct fr *self, uint64_t size) {
    (void)self, (void)size;
    return -EFBIG;
}

static k42_result fr_punch(struct fr *self, uint64_t first, uint64_t pages) {
    (void)self, (void)first, (void)pages;
    return -ENOTSUP;
}

static void flushed(struct block_request *request) {
    struct disk_pages *pages = request->context;
    once_settle(&pages->flushed, request->result, true);
    wait_notify(k42_id_of(pages->fr), KEY_FLUSHED, WAIT_READ, WAIT_ALL);
}

static k42_result start_flush(struct disk_pages *pages) {
    pages->flush =
        (struct block_request){.operation = BLOCK_FLUSH, .done = flushed, .context = pages};
    k42_result result = k42_call(pages->disk, submit, &pages->flush);
    if (result == 0)
        return wait_on(k42_id_of(pages->fr), KEY_FLUSHED, WAIT_READ);
    struct wait_point point = wait_noted();
    once_settle(&pages->flushed, 0, false);
    wait_notify(k42_id_of(pages->fr), KEY_FLUSHED, WAIT_READ, WAIT_ALL);
    if (result == -K42_WAIT)
        return wait_on(point.id, point.key, point.events);
    return result == BLOCK_DONE ? pages->flush.result : -EIO;
}

static k42_result fr_flush(struct fr *self) {
    struct disk_pages *pages = BODY(self);
    k42_result result;
    switch (once_look(&pages->flushed, &result)) {
    case ONCE_START:
        return start_flush(pages);
    case ONCE_UNDER_WAY:
        return wait_on(k42_id_of(pages->fr), KEY_FLUSHED, WAIT_READ);
    default:
        return result;
    }
}

static k42_result fr_describe(struct k42_object *self, char *text, size_t size) {
    struct disk_pages *pages = BODY(self);
    return (k42_result)k42_format_text(text, size, "pages of disk %s", pages->name);
}

static const struct fr_ops fr_ops = {
    .object.describe = fr_describe,
    .fill = fr_fill,
    .write = fr_write,
    .resize = fr_resize,
    .punch = fr_punch,
    .flush = fr_flush,
    .fill_run = fr_fill_run,
};

static const struct k42_format fr_format = {"fr.block", 1, 1};
static const struct k42_transfer fr_transfers[] = BODY_TRANSFERS(fr_format);

K42_CLASS(block_fr) = {
    .name = "fr.block",
    .interface = &fr_interface,
    .version = 1,
    .traits = "behind=disk",
    BODY_LAYOUT,
    .ops = &fr_ops,
    .transfers = fr_transfers,
};

/* ---- opening ---- */

static k42_result make_pages(struct disk_pages *pages) {
    struct block_geometry geometry;
    struct file_pages made;
    k42_result result = k42_call(pages->disk, geometry, &geometry);
    if (result >= 0)
        k42_store_relaxed(&pages->run, geometry.pieces_max);
    if (result >= 0)
        result = file_pages_make(&block_fr, pages, geometry.sectors * BLOCK_SECTOR, &made);
    if (result < 0)
        return result == -K42_STALE ? -ENXIO : result;
    k42_lock(&pages->lock);
    bool first = !pages->fcm;
    if (first) {
        pages->fr = made.fr;
        k42_store_release(&pages->fcm, made.fcm);
    }
    k42_unlock(&pages->lock);
    if (!first)
        file_pages_drop(&made);
    return 0;
}

static struct k42_pair open_disk(struct device *device, uint32_t minor, k42_ref node,
                                 unsigned flags) {
    struct disk_pages *pages = device->context;
    (void)minor;
    k42_result result = k42_load_acquire(&pages->fcm) ? 0 : make_pages(pages);
    if (result < 0)
        return (struct k42_pair){.result = result};
    return open_cached(node, pages->fcm, flags);
}

static bool add_disk(const struct device_entry *entry, void *context) {
    uint32_t *number = context;
    if (entry->interface != &block_interface)
        return false;
    struct disk_pages *pages = k42_platform_alloc(sizeof *pages);
    if (!pages) {
        print("block %s: no memory for its device", entry->name);
        return false;
    }
    k42_copy_text(pages->name, sizeof pages->name, entry->name);
    pages->disk = (block_ref)entry->ref;
    pages->device = (struct device){.name = pages->name,
                                    .block = true,
                                    .major = MAJOR,
                                    .minor = MINORS * (*number)++,
                                    .mode = 0660,
                                    .open = open_disk,
                                    .context = pages};
    device_register(&pages->device);
    return false;
}

void block_devices_open(void) {
    uint32_t number = 0;
    device_each(add_disk, &number);
}
