/*
 * Places: held, named, and those that a thread's paths begin at.
 *
 * A context's places are changed and copied under its lock; who copied one uses it while he is
 * active, since nodes and mounts that are let go of stay in memory that long.
 */
#include "mount.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

k42_result place_hold(const struct place *place) {
    if (place->mount && !mount_hold(place->mount))
        return -K42_STALE;
    k42_result result = k42_call(place->node, hold);
    if (result < 0 && place->mount)
        mount_release(place->mount);
    return result;
}

void place_release(const struct place *place) {
    (void)k42_call(place->node, release);
    if (place->mount)
        mount_release(place->mount);
}

/* ---- names ---- */

k42_result path_name(const struct place *place, const struct place *root, char *text, size_t size,
                     char **begin) {
    struct place at = *place;
    char name[NODE_NAME_MAX], *to = text + size;
    bool outside = false;
    if (size < 2)
        return -ENAMETOOLONG;
    *--to = 0;
    while (at.node != root->node || at.mount != root->mount) {
        if (!at.mount)
            return -ENOENT;
        if (at.node == at.mount->root) {
            outside = !mount_ascend(&at);
            if (outside)
                break;
            continue;
        }
        struct k42_pair above = k42_call(at.node, name, name, sizeof name);
        if (above.result < 0)
            return -ENOENT;
        if ((size_t)(to - text) < (size_t)above.result + 1)
            return -ENAMETOOLONG;
        to -= above.result;
        memcpy(to, name, (size_t)above.result);
        *--to = '/';
        at.node = (node_ref)above.word;
    }
    if (!*to) {
        if (to == text)
            return -ENAMETOOLONG;
        *--to = '/';
    }
    *begin = to;
    return outside;
}

/* ---- contexts ---- */

struct place path_root(struct path_context *context) {
    k42_lock(&context->lock);
    struct place place = context->root;
    k42_unlock(&context->lock);
    return place;
}

struct place path_working(struct path_context *context) {
    k42_lock(&context->lock);
    struct place place = context->working;
    k42_unlock(&context->lock);
    return place;
}

static void exchange(struct path_context *context, struct place *which, const struct place *place) {
    k42_lock(&context->lock);
    struct place before = *which;
    *which = *place;
    k42_unlock(&context->lock);
    place_release(&before);
}

void path_set_root(struct path_context *context, const struct place *place) {
    exchange(context, &context->root, place);
}

void path_set_working(struct path_context *context, const struct place *place) {
    exchange(context, &context->working, place);
}

static void replace(struct path_context *context, struct place *which, const struct place *from,
                    const struct place *to) {
    if (place_hold(to) < 0)
        return;
    k42_lock(&context->lock);
    bool is_it = which->mount == from->mount && which->node == from->node;
    if (is_it)
        *which = *to;
    k42_unlock(&context->lock);
    place_release(is_it ? from : to);
}

void path_replace(struct path_context *context, const struct place *from, const struct place *to) {
    replace(context, &context->root, from, to);
    replace(context, &context->working, from, to);
}

static struct path_context *make(const struct place *root, const struct place *working,
                                 uint32_t mask) {
    struct path_context *context = k42_platform_alloc(sizeof(*context));
    if (!context)
        return NULL;
    *context =
        (struct path_context){.references = 1, .root = *root, .working = *working, .mask = mask};
    if (place_hold(root) < 0)
        goto free;
    if (place_hold(working) < 0)
        goto release;
    return context;
release:
    place_release(root);
free:
    k42_platform_free(context);
    return NULL;
}

struct path_context *path_context_make(void) {
    struct mount *first = mount_first();
    struct place root = {first, first->root};
    mount_descend(&root);
    return make(&root, &root, 022);
}
