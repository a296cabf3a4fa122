/*
 * The file system in which POSIX's queues have their names: mqueue. One for all mounts.
 *
 * A queue's node is the queue, as a file: who holds it holds that. Owner, permissions and times are
 * those of a node without a name that it has for them (`inner`); the directory has one, too.
 * Listing goes from one hashed list to the next, and in a list by the numbers that queues have got,
 * so who lists holds nothing in between.
 *
 * Locking: none of its own. Formats: node.queue, node.queues, by pointer. Fails: -EPERM, -ENOENT.
 */
#include "../../fs/open_file.h"
#include "../../fs/ramfs/ramfs.h"
#include "../../fs/types.h"
#include "../../fs/values.h"
#include "../../mem/heap/heap.h"
#include "../../print.h"
#include "../task.h"
#include "posix_queue.h"
#include "runtime.h"

#include <errno.h>

enum { TEXT_SIZE = 80, ENTRY_SIZE = 20 }; /* what Linux says that they have */

static struct queues {
    k42_ref directory;
    node_ref inner;
    uint64_t device;
} queues;

static k42_result queues_file_system(struct node *self, struct node_file_system *counts) {
    (void)self;
    *counts = (struct node_file_system){.type = 0x19800202, .block_size = 4096, .name = "mqueue"};
    return 0;
}

/* ---- a queue ---- */

#define QUEUE(self) ((struct posix_queue *)BODY(self))

static k42_result queue_hold(struct node *self) {
    return posix_queue_hold(QUEUE(self)) ? 0 : -K42_STALE;
}

static k42_result queue_release(struct node *self) {
    posix_queue_release(QUEUE(self));
    return 0;
}

static k42_result queue_attributes(struct node *self, struct node_attributes *attributes) {
    k42_result result = k42_call(QUEUE(self)->inner, attributes, attributes);
    attributes->device = queues.device;
    attributes->links = QUEUE(self)->named;
    attributes->size = TEXT_SIZE;
    return result;
}

static k42_result queue_set_attributes(struct node *self, unsigned which,
                                       const struct node_attributes *attributes) {
    return k42_call(QUEUE(self)->inner, set_attributes, which & ~(unsigned)NODE_SET_SIZE,
                    attributes);
}

static struct k42_pair queue_open(struct node *self, unsigned flags) {
    struct posix_queue *queue = QUEUE(self);
    if (!posix_queue_hold(queue))
        return (struct k42_pair){.result = -ENOENT};
    struct k42_pair file = posix_file_make(queue, flags);
    if (file.result < 0)
        posix_queue_release(queue);
    return file;
}

static struct k42_pair queue_name(struct node *self, char *text, size_t size) {
    const struct posix_queue *queue = QUEUE(self);
    size_t length = queue->length < size ? queue->length : size;
    if (!__atomic_load_n(&queue->named, __ATOMIC_RELAXED))
        return (struct k42_pair){-ENOENT, (uintptr_t)queues.directory};
    __builtin_memcpy(text, queue->name, length);
    return (struct k42_pair){(k42_result)length, (uintptr_t)queues.directory};
}

static const struct node_ops queue_ops = {
    NODE_NO_DIRECTORY,
    .hold = queue_hold,
    .release = queue_release,
    .attributes = queue_attributes,
    .set_attributes = queue_set_attributes,
    .target = node_no_target,
    .open = queue_open,
    .cache = node_no_cache,
    .file_system = queues_file_system,
    .touch = node_no_touch,
    .jump = node_no_jump,
    .name = queue_name,
    .get_extended = node_no_get_extended,
    .set_extended = node_no_set_extended,
    .by_number = node_no_by_number,
    .claim = node_no_claim,
    .unclaim = node_no_claim,
    .claims = node_no_claims,
};

static void queue_fini(struct k42_root *root) {
    heap_free(body_of_root(root));
}

static const struct k42_format queue_format = {"node.queue", 1, 1};
static const struct k42_transfer queue_transfers[] = BODY_TRANSFERS(queue_format);

K42_CLASS(node_queue) = {
    .name = "node.queue",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &queue_ops,
    .fini = queue_fini,
    .transfers = queue_transfers,
};

k42_result posix_queue_make_node(struct posix_queue *queue) {
    k42_ref node;
    k42_result result = k42_make(&node_queue, queue, &node);
    queue->node = (node_ref)node;
    return result;
}

/* ---- the directory ---- */

static k42_result stays(struct node *self) {
    (void)self;
    return 0;
}

static k42_result directory_attributes(struct node *self, struct node_attributes *attributes) {
    (void)self;
    k42_result result = k42_call(queues.inner, attributes, attributes);
    attributes->device = queues.device;
    attributes->mode = MODE_DIRECTORY | (attributes->mode & MODE_PERMISSIONS);
    attributes->links = 2;
    attributes->size = posix_queues_named() * ENTRY_SIZE;
    return result;
}

static k42_result directory_set_attributes(struct node *self, unsigned which,
                                           const struct node_attributes *attributes) {
    (void)self;
    return k42_call(queues.inner, set_attributes, which & ~(unsigned)NODE_SET_SIZE, attributes);
}

k42_result posix_queues_allow(unsigned access) {
    struct node_attributes attributes;
    k42_result result = directory_attributes(NULL, &attributes);
    return result < 0 ? result : node_allows(&attributes, task_self()->credentials, access);
}

static bool is_above(const struct node_name *name) {
    return name->length == 2 && name->text[0] == '.' && name->text[1] == '.';
}

/* What is found lasts while the caller is active, and says so when it is going. */
static struct k42_pair directory_lookup(struct node *self, const struct node_name *name,
                                        const struct credentials *who) {
    struct node_attributes attributes;
    k42_result result = directory_attributes(self, &attributes);
    if (result >= 0)
        result = node_allows(&attributes, who, NODE_EXECUTE);
    if (result < 0)
        return (struct k42_pair){.result = result};
    if (is_above(name))
        return (struct k42_pair){ENTRY_DIRECTORY, (uintptr_t)queues.directory};
    struct posix_queue *queue = posix_queue_find(name);
    if (!queue)
        return (struct k42_pair){.result = -ENOENT};
    struct k42_pair found = {MODE_ENTRY_TYPE(MODE_REGULAR), (uintptr_t)queue->node};
    posix_queue_release(queue);
    return found;
}

/* A file that is made there is a queue as usual. */
static struct k42_pair directory_create(struct node *self, const struct node_new *what) {
    struct queue_request request = {
        .name = what->name, .flags = OPEN_CREATE | OPEN_EXCLUSIVE, .mode = what->mode};
    struct posix_queue *queue;
    (void)self;
    if (!what->name.length)
        return (struct k42_pair){.result = -EINVAL};
    if ((what->mode & MODE_TYPE) != MODE_REGULAR)
        return (struct k42_pair){.result = -EPERM};
    posix_queue_as_usual(&request);
    k42_result result = posix_queue_open(&request, &queue);
    if (result < 0)
        return (struct k42_pair){.result = result};
    struct k42_pair made = {0, (uintptr_t)queue->node};
    posix_queue_release(queue);
    return made;
}

static k42_result directory_link(struct node *self, const struct node_name *name, k42_ref node) {
    (void)self, (void)name, (void)node;
    return -EPERM;
}

static k42_result directory_unlink(struct node *self, const struct node_name *name,
                                   unsigned directory, const struct credentials *who) {
    (void)self, (void)who;
    struct posix_queue *queue = directory ? posix_queue_find(name) : NULL;
    if (!directory)
        return posix_queue_unlink(name);
    if (queue)
        posix_queue_release(queue);
    return queue ? -ENOTDIR : -ENOENT;
}

static k42_result directory_rename(struct node *self, const struct node_name *name, k42_ref to,
                                   const struct node_name *new_name, unsigned flags,
                                   const struct credentials *who) {
    (void)self, (void)name, (void)to, (void)new_name, (void)flags, (void)who;
    return -EPERM;
}

/* ---- listing: cursors are 0 and 1 for the dots, then those of posix_queue_next() ---- */

static bool list_queue(struct node_listing *listing, const struct posix_queue *queue,
                       uint64_t next) {
    struct node_attributes attributes;
    struct node_name name = {queue->name, queue->length, queue->hash};
    return k42_call(queue->inner, attributes, &attributes) < 0 ||
           listing->entry(listing, &name, attributes.number, MODE_ENTRY_TYPE(MODE_REGULAR), next);
}

static k42_result directory_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
    static const struct node_name dots[2] = {{".", 1, 0}, {"..", 2, 0}};
    struct node_attributes own;
    k42_result result = directory_attributes(self, &own);
    for (; result >= 0 && cursor < 2; cursor++)
        if (!listing->entry(listing, &dots[cursor], own.number, ENTRY_DIRECTORY, cursor + 1))
            return 0;
    for (bool more = result >= 0; more;) {
        uint64_t next = cursor;
        struct posix_queue *queue = posix_queue_next(&next);
        more = queue && list_queue(listing, queue, next);
        if (queue)
            posix_queue_release(queue);
        cursor = next;
    }
    return result < 0 ? result : 0;
}

static struct k42_pair directory_open(struct node *self, unsigned flags) {
    (void)self;
    return open_directory(queues.directory, flags);
}

/* It has no name, being a file system's root. */
static struct k42_pair directory_name(struct node *self, char *text, size_t size) {
    (void)self, (void)text, (void)size;
    return (struct k42_pair){.result = -ENOENT};
}

static const struct node_ops queues_ops = {
    .hold = stays,
    .release = stays,
    .attributes = directory_attributes,
    .set_attributes = directory_set_attributes,
    .lookup = directory_lookup,
    .create = directory_create,
    .link = directory_link,
    .unlink = directory_unlink,
    .rename = directory_rename,
    .target = node_no_target,
    .list = directory_list,
    .open = directory_open,
    .cache = node_no_cache,
    .file_system = queues_file_system,
    .touch = node_no_touch,
    .jump = node_no_jump,
    .name = directory_name,
    .get_extended = node_no_get_extended,
    .set_extended = node_no_set_extended,
    .by_number = node_no_by_number,
    .claim = node_no_claim,
    .unclaim = node_no_claim,
    .claims = node_no_claims,
};

static const struct k42_format queues_format = {"node.queues", 1, 1};
static const struct k42_transfer queues_transfers[] = BODY_TRANSFERS(queues_format);

K42_CLASS(node_queues) = {
    .name = "node.queues",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &queues_ops,
    .transfers = queues_transfers,
};

/* ---- mounting ---- */

static k42_result find_root(const char *source, const char *options, node_ref *root) {
    (void)source, (void)options;
    *root = (node_ref)queues.directory;
    return 0;
}

void posix_names_open(void) {
    static struct file_system_type type = {.name = "mqueue", .make = find_root};
    static const struct node_new what = {.mode = MODE_REGULAR | MODE_STICKY | 0777};
    k42_ref inner;
    if (ramfs_make_unnamed(&what, &inner) < 0 ||
        k42_make(&node_queues, &queues, &queues.directory) < 0)
        panic("linux: no memory for the names of queues");
    queues.inner = (node_ref)inner;
    queues.device = node_new_device();
    file_system_register(&type);
}
