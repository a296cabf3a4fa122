/*
 * An open directory: its node and a cursor of the node's listing.
 */
#include "open_file.h"

#include "values.h"

#include <errno.h>

struct directory_listing {
    struct node_listing listing;
    struct node_listing *to;
    uint64_t next;
};

static bool pass_on(struct node_listing *listing, const struct node_name *name, uint64_t number,
                    unsigned type, uint64_t next) {
    struct directory_listing *own = k42_container(listing, struct directory_listing, listing);
    if (!own->to->entry(own->to, name, number, type, next))
        return false;
    own->next = next;
    return true;
}

k42_result open_directory_list(struct file *self, struct node_listing *listing) {
    struct opened *opened = OPENED(self);
    k42_result result = offset_take(opened);
    if (result < 0)
        return result;
    struct directory_listing own = {{pass_on}, listing, (uint64_t)opened->offset};
    result = k42_call(opened->node, list, own.next, &own.listing);
    if (result >= 0)
        opened->offset = (int64_t)own.next;
    offset_leave(opened);
    if (result >= 0 && !(opened->flags & OPEN_NO_ACCESSED))
        (void)k42_call(opened->node, touch, NODE_TOUCH_READ);
    return result;
}

static const struct file_ops directory_ops = {
    OPENED_METHODS,
    OPEN_DIRECTORY_METHODS,
    .sync = file_synced,
};

static const struct k42_format directory_format = {"file.directory", 1, 1};
static const struct k42_transfer directory_transfers[] = BODY_TRANSFERS(directory_format);

K42_CLASS(file_directory) = {
    .name = "file.directory",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &directory_ops,
    .fini = opened_fini,
    .transfers = directory_transfers,
};

struct k42_pair open_directory(k42_ref node, unsigned flags) {
    return opened_make(&file_directory, sizeof(struct opened), node, flags, NULL, NULL);
}
