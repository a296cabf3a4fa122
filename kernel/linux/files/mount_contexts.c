/*
 * fsopen, fsconfig, fsmount, fspick: a file system that is set up step by step, behind a descriptor
 * (a context).
 *
 * A context collects options; then it makes a file system of them, and that is mounted, for
 * open_tree() and move_mount() to find by descriptor. One that was picked changes what there is.
 * The file's body is the context. Its lock guards it; making waits, for which it is left with the
 * phase saying so, and the file is held. Format: file.mount_context, by pointer.
 *
 * Fails: -EBUSY where a step is not this phase's.
 */
#include "../events/unnamed.h"
#include "mount_trees.h"

#include "../../fs/types.h"
#include "runtime.h"

enum { OPTIONS_MOST = 1024, TEXT_MOST = 256 };

enum phase { PHASE_OPTIONS, PHASE_MAKING, PHASE_MADE, PHASE_MOUNTED, PHASE_CHANGES, PHASE_FAILED };

struct mount_context {
    struct opened opened;
    struct file_system_type *type; /* constant; NULL: a mount was picked */
    struct k42_lock lock;          /* of what follows */
    enum phase phase;
    node_ref root;       /* held, when it was made */
    struct mount *mount; /* held, when it was picked */
    bool read_only;
    size_t length;
    char options[OPTIONS_MOST], source[TEXT_MOST];
};

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

/* -EBADF, -EINVAL: it is another kind of file. */
static k42_result find_context(int fd, file_ref *file, struct mount_context **context) {
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

/* ---- fsconfig ---- */

enum {
    CONFIG_FLAG,
    CONFIG_STRING,
    CONFIG_BINARY,
    CONFIG_PATH,
    CONFIG_PATH_EMPTY,
    CONFIG_FD,
    CONFIG_MAKE,
    CONFIG_CHANGE,
    BINARY_MOST = 1 << 20,
};

/* What stands where each step has nothing, or something else than it takes. */
static k42_result check_step(unsigned step, bool key, bool value, int extra) {
    bool wrong;
    switch (step) {
    case CONFIG_FLAG:
        wrong = !key || value || extra;
        break;
    case CONFIG_STRING:
        wrong = !key || !value || extra;
        break;
    case CONFIG_BINARY:
        wrong = !key || !value || extra <= 0 || extra > BINARY_MOST;
        break;
    case CONFIG_PATH:
    case CONFIG_PATH_EMPTY:
        wrong = !key || !value || (extra != AT_WORKING && extra < 0);
        break;
    case CONFIG_FD:
        wrong = !key || value || extra < 0;
        break;
    case CONFIG_MAKE:
    case CONFIG_CHANGE:
        wrong = key || value || extra;
        break;
    default:
        return -EOPNOTSUPP;
    }
    return wrong ? -EINVAL : 0;
}

/* Behind the others, with a comma. */
static k42_result add_option(struct mount_context *context, const char *key, const char *value) {
    size_t room = sizeof context->options - context->length;
    for (const char *at = value; at && *at; at++)
        if (*at == ',')
            return -EINVAL;
    size_t length =
        k42_format_text(context->options + context->length, room, "%s%s%s%s",
                        context->length ? "," : "", key, value ? "=" : "", value ? value : "");
    if (length >= room) {
        context->options[context->length] = 0;
        return -EINVAL;
    }
    context->length += length;
    return 0;
}

static k42_result set_source(struct mount_context *context, const char *source) {
    if (context->source[0])
        return -EINVAL;
    k42_copy_text(context->source, sizeof context->source, source);
    return 0;
}

static k42_result set_option(struct mount_context *context, const char *key, const char *value) {
    k42_result result = 0;
    k42_lock(&context->lock);
    if (context->phase != PHASE_OPTIONS && context->phase != PHASE_CHANGES)
        result = -EBUSY;
    else if (!value && (k42_text_equal(key, "ro") || k42_text_equal(key, "rw")))
        context->read_only = key[1] == 'o';
    else if (value && k42_text_equal(key, "source"))
        result = set_source(context, value);
    else
        result = add_option(context, key, value);
    k42_unlock(&context->lock);
    return result;
}

static k42_result set_from(struct mount_context *context, uintptr_t key_at, uintptr_t value_at) {
    struct files_text key, value;
    k42_result result = files_text_get(&key, key_at, TEXT_MOST);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    if (value_at)
        result = files_text_get(&value, value_at, TEXT_MOST);
    if (result >= 0) {
        result = set_option(context, key.at, value_at ? value.at : NULL);
        if (value_at)
            files_text_end(&value);
    }
    files_text_end(&key);
    return result == -ENAMETOOLONG ? -EINVAL : result;
}

/* Nothing is changed there while it is made: the phase says so. */
static k42_result make(struct mount_context *context) {
    node_ref root;
    k42_lock(&context->lock);
    bool begins = context->phase == PHASE_OPTIONS;
    if (begins)
        context->phase = PHASE_MAKING;
    k42_unlock(&context->lock);
    if (!begins)
        return -EBUSY;
    k42_result result = context->type->make(context->source, context->options, &root);
    k42_lock(&context->lock);
    context->phase = result < 0 ? PHASE_FAILED : PHASE_MADE;
    if (result >= 0)
        context->root = root;
    k42_unlock(&context->lock);
    return result < 0 ? result : 0;
}

static k42_result change(struct mount_context *context) {
    k42_lock(&context->lock);
    bool changes = context->phase == PHASE_CHANGES;
    if (changes)
        mount_change_flags(context->mount, NODE_READ_ONLY,
                           context->read_only ? NODE_READ_ONLY : 0u);
    k42_unlock(&context->lock);
    return changes ? 0 : -EBUSY;
}

static k42_result configure(struct mount_context *context, unsigned step, uintptr_t key,
                            uintptr_t value) {
    switch (step) {
    case CONFIG_FLAG:
    case CONFIG_STRING:
        return set_from(context, key, value);
    case CONFIG_MAKE:
        return make(context);
    case CONFIG_CHANGE:
        return change(context);
    default:
        return -EINVAL; /* no option is of such a kind */
    }
}

/* Partly: an option that a file system does not know is ignored, a wrong value found when it is
 * made, and reading the descriptor tells nothing of what was wrong. */
LINUX_CALL(431, fsconfig, int fd, unsigned step, uintptr_t key, uintptr_t value, int extra) {
    struct mount_context *context;
    file_ref file;
    k42_result result = fd < 0 ? -EINVAL : check_step(step, key, value, extra);
    if (result >= 0)
        result = find_context(fd, &file, &context);
    if (result < 0)
        return result;
    if (k42_call(file, hold) < 0)
        return -EBADF;
    result = configure(context, step, key, value);
    (void)!k42_call(file, release);
    return linux_result(result, -EINVAL);
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
    k42_result result = find_context(fd, &file, &context);
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
