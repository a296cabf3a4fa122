/*
 * fsconfig: a context is given its options, one step at a time, and told to make a file system.
 *
 * Locking: the context's lock. To make waits, for which it is left with the phase saying so, and
 * the file is held. Fails: -EBUSY where a step is not this phase's.
 */
#include "../landlock/landlock.h"
#include "mount_contexts.h"
#include "runtime.h"

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
    bool changes = context->phase == PHASE_CHANGES, may = landlock_may_mount() >= 0;
    if (changes && may)
        mount_change_flags(context->mount, NODE_READ_ONLY,
                           context->read_only ? NODE_READ_ONLY : 0u);
    k42_unlock(&context->lock);
    return !changes ? -EBUSY : may ? 0 : -EPERM;
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
        result = mount_context_find(fd, &file, &context);
    if (result < 0)
        return result;
    if (k42_call(file, hold) < 0)
        return -EBADF;
    result = configure(context, step, key, value);
    (void)!k42_call(file, release);
    return linux_result(result, -EINVAL);
}
