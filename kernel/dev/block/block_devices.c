/*
 * Disks as devices of programs: their sectors through a page cache.
 *
 * The FR of a disk's pages is an object of class fr.block. A page is one request, whose data goes
 * straight between disk and frame; it takes a record on the heap while it is under way.
 *
 * Owns: struct disk_pages for each disk, for ever. Locking: that of `flushed`, leaf. Fails: -ENOMEM
 * when a disk is opened for the first time; -EIO, which the disk reports with the sectors.
 */
#include "block_devices.h"

#include "../../fs/devices.h"
#include "../../fs/open_file.h"
#include "../../mem/fcm/file_pages.h"
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
    struct k42_lock lock; /* of the next two */
    k42_ref fr, fcm;      /* made by the first who opens it */
    struct once flushed;
    struct block_request flush;
};

/* A page on its way. */
struct page_request {
    struct block_request request;
    struct block_piece piece;
    k42_ref fcm;
    uint64_t index;
};

/* ---- the FR ---- */

static void page_is_over(struct block_request *request) {
    struct page_request *page = k42_container(request, struct page_request, request);
    fcm_ref fcm = (fcm_ref)page->fcm;
    k42_result told = request->operation == BLOCK_READ
                          ? k42_call(fcm, filled, page->index, request->result)
                          : k42_call(fcm, written, page->index, request->result);
    (void)told; /* stale: nobody wants the page any more */
    k42_platform_free(page);
}

static k42_result transfer(struct fr *self, const struct fr_page *page,
                           enum block_operation operation) {
    struct disk_pages *pages = BODY(self);
    struct page_request *made = k42_platform_alloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    uint32_t bytes = (uint32_t)(page->bytes + BLOCK_SECTOR - 1) / BLOCK_SECTOR * BLOCK_SECTOR;
    made->piece = (struct block_piece){page->physical, bytes};
    made->fcm = page->fcm;
    made->index = page->index;
    made->request = (struct block_request){.operation = operation,
                                           .sector = page->index * PAGE_SECTORS,
                                           .count = bytes / BLOCK_SECTOR,
                                           .pieces = &made->piece,
                                           .piece_count = 1,
                                           .done = page_is_over};
    k42_result result = k42_call(pages->disk, submit, &made->request);
    if (result == 0)
        return FR_STARTED;
    k42_platform_free(made);
    return result == -ENXIO ? -ENOSPC : result == -ENODEV || result == -K42_STALE ? -EIO : result;
}

static k42_result fr_fill(struct fr *self, const struct fr_page *page) {
    return transfer(self, page, BLOCK_READ);
}

static k42_result fr_write(struct fr *self, const struct fr_page *page) {
    return transfer(self, page, BLOCK_WRITE);
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
