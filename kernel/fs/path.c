/*
 * The walk of a path: from text to a place.
 *
 * A walk belongs to its caller and holds nothing: the caller is active from its begin to its end,
 * so what it sees stays in memory. A node that goes meanwhile answers -K42_STALE: its name may lead
 * to another one by now, and who walks looks again. The text of a symbolic link and what is left of
 * the path behind it are put together in memory of the walk's own, 4096 bytes at most, and the walk
 * goes on in there.
 */
#include "path.h"

#include "mount.h"
#include "runtime.h"
#include "values.h"

#include <errno.h>
#include <string.h>

enum { MOST_LINKS = 40, MOST_TEXT = 4096 };

struct walk {
    struct path *path;
    struct place at, root;
    const char *rest;
    char *memory; /* what `rest` lies in after a link */
    unsigned links;
    unsigned type; /* of `at`, 0: not known */
    struct node_name name;
    bool is_last, wants_directory; /* of the name: nothing behind it; a slash behind it */
};

/* Cuts the next name off. False: there is none. */
static bool next_name(struct walk *walk) {
    const char *at = walk->rest;
    while (*at == '/')
        at++;
    if (!*at)
        return false;
    const char *begin = at;
    uint32_t hash = NODE_HASH_START;
    while (*at && *at != '/')
        hash = node_hash_step(hash, *at++);
    walk->name = (struct node_name){begin, (uint32_t)(at - begin), hash};
    walk->wants_directory = *at == '/';
    while (*at == '/')
        at++;
    walk->is_last = !*at;
    walk->rest = at;
    return true;
}

static bool is_dot(const struct node_name *name) {
    return name->length == 1 && name->text[0] == '.';
}

static bool is_dots(const struct node_name *name) {
    return name->length == 2 && name->text[0] == '.' && name->text[1] == '.';
}

static bool same_place(const struct place *a, const struct place *b) {
    return a->node == b->node && a->mount == b->mount;
}

/* "." needs the same permission as a name. */
static k42_result stay(struct walk *walk) {
    struct node_attributes attributes;
    k42_result result = k42_call(walk->at.node, attributes, &attributes);
    if (result < 0)
        return result;
    walk->type = MODE_ENTRY_TYPE(attributes.mode);
    if (walk->type != ENTRY_DIRECTORY)
        return -ENOTDIR;
    return node_allows(&attributes, walk->path->who, NODE_EXECUTE);
}

static k42_result go_up(struct walk *walk) {
    if (same_place(&walk->at, &walk->root))
        return walk->path->flags & PATH_BENEATH ? -EXDEV : stay(walk);
    struct place at = walk->at;
    while (at.mount && at.node == at.mount->root) {
        if (same_place(&at, &walk->root) || !mount_ascend(&at))
            return stay(walk);
        if (walk->path->flags & PATH_NO_MOUNTS)
            return -EXDEV;
    }
    if (same_place(&at, &walk->root)) {
        walk->at = at;
        return stay(walk);
    }
    struct k42_pair above = k42_call(at.node, lookup, &walk->name, walk->path->who);
    if (above.result < 0)
        return above.result;
    at.node = (node_ref)above.word;
    mount_descend(&at);
    walk->at = at;
    walk->type = ENTRY_DIRECTORY;
    return 0;
}

/* ---- links ---- */

/* Puts the link's text before what is left. */
static k42_result go_on_in(struct walk *walk, node_ref link) {
    size_t left = k42_text_length(walk->rest);
    char *memory = k42_platform_alloc(MOST_TEXT);
    if (!memory)
        return -ENOMEM;
    k42_result length = k42_call(link, target, memory, MOST_TEXT - 1);
    if (length <= 0 || (size_t)length + left + 2 > MOST_TEXT) {
        k42_platform_free(memory);
        return length < 0 ? length : length ? -ENAMETOOLONG : -ENOENT;
    }
    (void)k42_call(link, touch, NODE_TOUCH_READ);
    if (walk->wants_directory)
        memory[length++] = '/';
    memcpy(memory + length, walk->rest, left + 1);
    k42_platform_free(walk->memory);
    walk->rest = walk->memory = memory;
    return 0;
}

static k42_result follow(struct walk *walk, node_ref link, bool jumps) {
    unsigned flags = walk->path->flags;
    if ((flags & PATH_NO_LINKS) || ++walk->links > MOST_LINKS)
        return -ELOOP;
    if (jumps) {
        struct place place = {0};
        if (flags & PATH_NO_JUMPS)
            return -ELOOP;
        if (flags & (PATH_BENEATH | PATH_IN_ROOT))
            return -EXDEV;
        k42_result result = k42_call(link, jump, &place);
        if (result < 0)
            return result;
        walk->at = place;
        walk->type = 0;
        return 0;
    }
    k42_result result = go_on_in(walk, link);
    if (result < 0)
        return result;
    walk->type = ENTRY_DIRECTORY; /* of the directory that the link is in */
    if (*walk->rest == '/') {
        if (flags & PATH_BENEATH)
            return -EXDEV;
        walk->at = walk->root;
    }
    return 0;
}

/* ---- a name ---- */

static k42_result enter(struct walk *walk, node_ref node, unsigned type) {
    struct place at = {walk->at.mount, node};
    mount_descend(&at);
    if (at.mount != walk->at.mount) {
        if (walk->path->flags & PATH_NO_MOUNTS)
            return -EXDEV;
        type = 0;
    }
    walk->at = at;
    walk->type = type;
    return 0;
}

/* The last name of a walk to its parent: 1 when the walk is over. */
static k42_result last_name(struct walk *walk) {
    struct path *path = walk->path;
    path->last = walk->name;
    path->last_is_directory = walk->wants_directory;
    path->found = walk->at;
    if (!(path->flags & PATH_FOLLOW) || path_last_is_special(path) || walk->wants_directory) {
        k42_result result = stay(walk);
        return result < 0 ? result : 1;
    }
    struct k42_pair child = k42_call(walk->at.node, lookup, &walk->name, path->who);
    if (child.result == -ENOENT || child.result == -K42_STALE)
        return 1;
    if (child.result < 0)
        return child.result;
    node_ref node = (node_ref)child.word;
    if ((child.result & 255) == ENTRY_LINK) {
        bool jumps = child.result & NODE_JUMPS;
        k42_result result = follow(walk, node, jumps);
        if (result < 0 || !jumps)
            return result;
        path->there = walk->at;
        return 1;
    }
    struct place here = walk->at;
    k42_result result = enter(walk, node, (unsigned)child.result & 255);
    path->above = here.node;
    path->there = walk->at;
    path->type = walk->type;
    walk->at = here;
    return result < 0 ? result : 1;
}

static k42_result step(struct walk *walk) {
    const struct path *path = walk->path;
    if (walk->name.length > NODE_NAME_MAX)
        return -ENAMETOOLONG;
    if (walk->is_last && (path->flags & PATH_PARENT))
        return last_name(walk);
    if (is_dot(&walk->name))
        return stay(walk);
    if (is_dots(&walk->name))
        return go_up(walk);
    struct k42_pair child = k42_call(walk->at.node, lookup, &walk->name, path->who);
    if (child.result < 0)
        return child.result;
    node_ref node = (node_ref)child.word;
    bool to_the_end = walk->is_last && !walk->wants_directory && !(path->flags & PATH_FOLLOW);
    if ((child.result & 255) == ENTRY_LINK && !to_the_end)
        return follow(walk, node, child.result & NODE_JUMPS);
    if (walk->is_last)
        walk->path->above = walk->at.node;
    k42_result result = enter(walk, node, (unsigned)child.result & 255);
    if (result == 0 && !walk->is_last && walk->type && walk->type != ENTRY_DIRECTORY)
        return -ENOTDIR;
    return result;
}

static k42_result must_be_directory(struct walk *walk) {
    if (!walk->type) {
        struct node_attributes attributes;
        k42_result result = k42_call(walk->at.node, attributes, &attributes);
        if (result < 0)
            return result;
        walk->type = MODE_ENTRY_TYPE(attributes.mode);
    }
    return walk->type == ENTRY_DIRECTORY ? 0 : -ENOTDIR;
}

static void begin(struct walk *walk, const char *text) {
    struct path *path = walk->path;
    walk->root = path_root(path->context);
    walk->at = path->start;
    if (!path->start.node)
        walk->at = path_working(path->context);
    if (path->flags & (PATH_IN_ROOT | PATH_BENEATH))
        walk->root = walk->at;
    if (*text == '/')
        walk->at = walk->root;
}

static k42_result finish(struct walk *walk) {
    struct path *path = walk->path;
    if (path->flags & PATH_PARENT) { /* nothing but slashes */
        path->last = (struct node_name){.text = ""};
        path->last_is_directory = true;
        path->found = path->there = walk->at;
        return 0;
    }
    if (walk->wants_directory || (path->flags & PATH_DIRECTORY)) {
        k42_result result = must_be_directory(walk);
        if (result < 0)
            return result;
    }
    path->found = walk->at;
    path->type = walk->type;
    path->last_is_directory = walk->wants_directory;
    return 0;
}

k42_result path_walk(struct path *path, const char *text) {
    struct walk walk = {.path = path, .rest = text};
    path->memory = NULL;
    path->there = (struct place){0};
    path->above = (node_ref)K42_NULL_REF;
    path->type = 0;
    if (!*text && !(path->flags & PATH_EMPTY))
        return -ENOENT;
    begin(&walk, text);
    if (*text == '/' && (path->flags & PATH_BENEATH))
        return -EXDEV;
    k42_result result = 0;
    while (result == 0 && next_name(&walk))
        result = step(&walk);
    if (result == 0)
        result = finish(&walk);
    if (path->flags & PATH_PARENT)
        path->memory = walk.memory;
    else
        k42_platform_free(walk.memory);
    return result < 0 ? result : 0;
}

void path_end(struct path *path) {
    k42_platform_free(path->memory);
    path->memory = NULL;
}
