/*
 * Nodes and files of name spaces. See name_space.h.
 *
 * The node's body is the name space, and whoever holds the node holds that. A file's body says
 * which one it keeps, by the node that it holds. Formats: node.name_space and file.name_space, by
 * pointer. Fails: -ENOMEM.
 */
#include "name_space.h"

#include "../events/unnamed.h"
#include "../files/files.h"
#include "runtime.h"

static uint64_t last_number = 0xeffffff0; /* Linux's own begin about there */

uint64_t name_space_number(void) {
    return __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
}

bool name_space_hold(struct name_space *space) {
    uint32_t references = __atomic_load_n(&space->references, __ATOMIC_RELAXED);
    while (references)
        if (__atomic_compare_exchange_n(&space->references, &references, references + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

/* Its memory goes with the node, a grace period later. */
void name_space_release(struct name_space *space) {
    if (!__atomic_sub_fetch(&space->references, 1, __ATOMIC_ACQ_REL))
        (void)!k42_destroy(space->node);
}

/* ---- the node ---- */

#define SPACE(self) ((struct name_space *)BODY(self))

static k42_result node_hold(struct node *self) {
    return name_space_hold(SPACE(self)) ? 0 : -K42_STALE;
}

static k42_result node_release(struct node *self) {
    name_space_release(SPACE(self));
    return 0;
}

static k42_result node_attributes(struct node *self, struct node_attributes *attributes) {
    static uint64_t device;
    uint64_t none = 0, new = __atomic_load_n(&device, __ATOMIC_RELAXED) ?: node_new_device();
    __atomic_compare_exchange_n(&device, &none, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    *attributes = (struct node_attributes){
        .device = __atomic_load_n(&device, __ATOMIC_RELAXED),
        .number = SPACE(self)->number,
        .mode = MODE_REGULAR | 0444,
        .links = 1,
        .block_size = 4096,
    };
    return 0;
}

static k42_result node_set_attributes(struct node *self, unsigned which,
                                      const struct node_attributes *attributes) {
    (void)self, (void)which, (void)attributes;
    return -EPERM;
}

static k42_result node_file_system(struct node *self, struct node_file_system *counts) {
    (void)self;
    *counts = (struct node_file_system){.type = 0x6e736673, .block_size = 4096, .name = "nsfs"};
    return 0;
}

static struct k42_pair node_no_name(struct node *self, char *text, size_t size) {
    (void)self, (void)text, (void)size;
    return (struct k42_pair){.result = -ENOENT};
}

static struct k42_pair node_open(struct node *self, unsigned flags);

static const struct node_ops space_ops = {
    NODE_NO_DIRECTORY,
    .hold = node_hold,
    .release = node_release,
    .attributes = node_attributes,
    .set_attributes = node_set_attributes,
    .target = node_no_target,
    .open = node_open,
    .cache = node_no_cache,
    .file_system = node_file_system,
    .touch = node_no_touch,
    .jump = node_no_jump,
    .name = node_no_name,
    .get_extended = node_no_get_extended,
    .set_extended = node_no_set_extended,
    .by_number = node_no_by_number,
    .claim = node_no_claim,
    .unclaim = node_no_claim,
    .claims = node_no_claims,
};

static void node_fini(struct k42_root *root) {
    struct name_space *space = body_of_root(root);
    if (space)
        space->free(space);
}

static const struct k42_format node_format = {"node.name_space", 1, 1};
static const struct k42_transfer node_transfers[] = BODY_TRANSFERS(node_format);

K42_CLASS(node_name_space) = {
    .name = "node.name_space",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &space_ops,
    .fini = node_fini,
    .transfers = node_transfers,
};

k42_result name_space_open(struct name_space *space) {
    return k42_make(&node_name_space, space, &space->node);
}

/* ---- the file ---- */

struct space_file {
    struct opened opened;
    struct name_space *space; /* held by the node */
};

#define SPACE_FILE(self) k42_container(OPENED(self), struct space_file, opened)

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result space_control(struct file *self, unsigned request, uintptr_t argument) {
    const struct name_space *space = SPACE_FILE(self)->space;
    switch (request) {
    case FILE_KIND:
        return FILE_OF_NAME_SPACE;
    case FILE_LOOK:
        *(struct name_space **)argument = SPACE_FILE(self)->space;
        return 0;
    case NAME_SPACE_KIND:
        return space->kind;
    default:
        return -ENOTTY;
    }
}

static const struct file_ops space_file_ops = {
    OPENED_METHODS,
    .read = no_bytes,
    .write = no_bytes,
    .control = space_control,
    .poll = file_ready,
    .seek = file_no_seek,
    .list = file_no_list,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};

static const struct k42_format file_format = {"file.name_space", 1, 1};
static const struct k42_transfer file_transfers[] = BODY_TRANSFERS(file_format);

K42_CLASS(file_name_space) = {
    .name = "file.name_space",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &space_file_ops,
    .fini = opened_fini,
    .transfers = file_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct space_file, opened)->space = context;
    return 0;
}

static struct k42_pair node_open(struct node *self, unsigned flags) {
    struct name_space *space = SPACE(self);
    if (open_writes(flags))
        return (struct k42_pair){.result = -EPERM};
    return opened_make(&file_name_space, sizeof(struct space_file), space->node, flags, set_up,
                       space);
}

k42_result name_space_get(int fd, struct name_space **space) {
    file_ref file;
    k42_result result = unnamed_get(fd, FILE_OF_NAME_SPACE, &file);
    return result < 0 ? result : k42_call(file, control, FILE_LOOK, (uintptr_t)space);
}
