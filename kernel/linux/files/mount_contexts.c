/*
 * fsopen, fspick, fsmount: a file system that is set up step by step, behind a descriptor
 * (a context).
 *
 * A context collects options; then it makes a file system of them, and that is mounted, for
 * open_tree() and move_mount() to find by descriptor. One that was picked changes what there is.
 * fsconfig() stands in mount_context_steps.c. The file's body is the context; its lock guards it.
 * Format: file.mount_context, by pointer.
 *
 * Fails: -EBUSY where a step is not this phase's.
 */
#include "mount_contexts.h"
#include "runtime.h"

#define CONTEXT(self) k42_container(OPENED(self), struct mount_context, opened)

/* ---- the file ---- */

/* Nobody has anything to tell. */
static k42_result context_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)copy;
    return offset == FILE_CURRENT ? -ENODATA : -ESPIPE;
}

static k42_result context_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result context_control(struct file *self, unsigned request, uintptr_t argument) {
    if (request == FILE_LOOK)
        *(struct mount_context **)argument = CONTEXT(self);
    return request == FILE_KIND ? FILE_OF_MOUNT_CONTEXT : request == FILE_LOOK ? 0 : -ENOTTY;
}

static const struct file_ops context_ops = {
    UNNAMED_METHODS,    .read = context_read, .write = context_write, .control = context_control,
    .poll = file_ready, .seek = file_no_seek,
};

static const struct k42_format context_format = {"file.mount_context", 1, 1};
static const struct k42_transfer context_transfers[] = BODY_TRANSFERS(context_format);

K42_CLASS(file_mount_context) = {
    .name = "file.mount_context",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &context_ops,
    .fini = opened_fini,
    .transfers = context_transfers,
};

/* A call that is still under way finds nothing there any more. */
static void ended(struct opened *opened) {
    struct mount_context *context = k42_container(opened, struct mount_context, opened);
    k42_lock(&context->lock);
    node_ref root = context->root;
    struct mount *mount = context->mount;
    context->root = (node_ref)K42_NULL_REF;
    context->mount = NULL;
    context->phase = PHASE_FAILED;
    k42_unlock(&context->lock);
    if (k42_id_of(root))
        (void)!k42_call(root, release);
    if (mount)
        mount_release(mount);
}

struct beginning {
    struct file_system_type *type;
    struct mount *mount; /* held */
};

static k42_result set_up(struct opened *opened, void *from) {
    struct mount_context *context = k42_container(opened, struct mount_context, opened);
    const struct beginning *beginning = from;
    context->type = beginning->type;
    context->mount = beginning->mount;
    context->phase = beginning->mount ? PHASE_CHANGES : PHASE_OPTIONS;
    opened->ended = ended;
    return 0;
}

/* Takes the hold of the mount over. */
static k42_result open_context(struct beginning *beginning, bool closes) {
    struct k42_pair file = opened_make(&file_mount_context, sizeof(struct mount_context),
                                       K42_NULL_REF, OPEN_READ_WRITE, set_up, beginning);
    if (file.result >= 0)
        return files_add((file_ref)file.word, closes ? OPEN_CLOSE_ON_EXEC : 0u);
    if (beginning->mount)
        mount_release(beginning->mount);
    return file.result;
}

k42_result mount_context_find(int fd, file_ref *file, struct mount_context **context) {
    k42_result result = unnamed_get(fd, FILE_OF_MOUNT_CONTEXT, file);
    return result < 0 ? result : k42_call(*file, control, FILE_LOOK, (uintptr_t)context);
}

/* ---- fsopen, fspick ---- */

LINUX_CALL(430, fsopen, uintptr_t name_at, unsigned flags) {
    struct files_text name;
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if (flags & ~1u)
        return -EINVAL;
    k42_result result = files_text_get(&name, name_at, FILES_PATH);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    struct beginning beginning = {.type = file_system_find(name.at)};
    files_text_end(&name);
    return beginning.type ? open_context(&beginning, flags & 1) : -ENODEV;
}

enum { PICK_CLOSES = 1, PICK_NO_FOLLOW = 2, PICK_EMPTY = 8, PICK_FLAGS = 15 };

static k42_result pick_now(int directory, const char *text, unsigned flags, struct mount **mount) {
    node_ref node;
    int how = (flags & PICK_NO_FOLLOW ? AT_NO_FOLLOW : 0) | (flags & PICK_EMPTY ? AT_EMPTY : 0);
    k42_result result = files_node(directory, text, how, &node, mount);
    if (result < 0)
        return result;
    return !*mount || node != (*mount)->root || !mount_hold(*mount) ? -EINVAL : 0;
}

/* Partly: of what there is it changes whether it can be written to. */
LINUX_CALL(433, fspick, int directory, uintptr_t path, unsigned flags) {
    struct files_text text;
    struct beginning beginning = {0};
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if (flags & ~(unsigned)PICK_FLAGS)
        return -EINVAL;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, pick_now(directory, text.at, flags, &beginning.mount));
    files_text_end(&text);
    return result < 0 ? result : open_context(&beginning, flags & PICK_CLOSES);
}

/* ---- fsmount ---- */

/* The root, held for the mount. -EINVAL: there is none; -EBUSY: it is mounted. */
static k42_result take_root(struct mount_context *context, node_ref *root) {
    k42_lock(&context->lock);
    k42_result result = !k42_id_of(context->root)      ? -EINVAL
                        : context->phase == PHASE_MADE ? 0
                                                       : -EBUSY;
    if (result >= 0)
        context->phase = PHASE_MOUNTED;
    *root = context->root;
    k42_unlock(&context->lock);
    if (result >= 0) /* stale: the context was closed meanwhile */
        result = k42_call(*root, hold);
    return result == -K42_STALE ? -EINVAL : result;
}

LINUX_CALL(432, fsmount, int fd, unsigned flags, unsigned attributes) {
    struct mount_context *context;
    struct mount_new what;
    file_ref file;
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if ((flags & ~1u) || !mount_attributes_valid(attributes))
        return -EINVAL;
    k42_result result = mount_context_find(fd, &file, &context);
    if (result >= 0)
        result = take_root(context, &what.root);
    if (result < 0)
        return result;
    what.flags = mount_attribute_flags(attributes) | (context->read_only ? NODE_READ_ONLY : 0u);
    what.type = context->type->name;
    what.source = context->source[0] ? context->source : "none";
    result = mount_tree_make(&what, &file);
    return result < 0 ? result : files_add(file, flags & 1 ? OPEN_CLOSE_ON_EXEC : 0);
}
