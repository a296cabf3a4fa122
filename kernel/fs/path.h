/*
 * Path names: from text to nodes, over all mounted file systems.
 *
 * A place is a node within a mount: what a path leads to, and from which one can say its name
 * again. Places are held by working directories, roots and open files; within one active section
 * they need no hold.
 *
 * Functions run in an active thread and do not wait: -K42_WAIT comes from a file system that must
 * ask somebody, and then the whole walk is made again (from WAIT_CALL).
 */
#ifndef KERNEL_PATH_H
#define KERNEL_PATH_H

#include "node.h"

#include <k42/lock.h>

struct mount;

struct place {
    struct mount *mount;
    node_ref node;
};

/* Where a thread's paths begin; shared by threads (CLONE_FS), copied by fork. */
struct path_context {
    uint32_t references;
    struct k42_lock lock;       /* of the places */
    struct place root, working; /* held */
    uint32_t mask;              /* umask */
};

enum path_flags {
    PATH_FOLLOW = 1,      /* a symbolic link at the end, too */
    PATH_PARENT = 2,      /* stop before the last name, which need not exist; with PATH_FOLLOW
                             before that of what the links at the end lead to */
    PATH_DIRECTORY = 4,   /* -ENOTDIR unless it is one */
    PATH_EMPTY = 8,       /* AT_EMPTY_PATH: an empty path is the start itself */
    PATH_NO_LINKS = 16,   /* RESOLVE_NO_SYMLINKS */
    PATH_BENEATH = 32,    /* RESOLVE_BENEATH */
    PATH_IN_ROOT = 64,    /* RESOLVE_IN_ROOT */
    PATH_NO_MOUNTS = 128, /* RESOLVE_NO_XDEV */
    PATH_NO_JUMPS = 256,  /* RESOLVE_NO_MAGICLINKS */
};

/* A walk: what is asked and what was found. */
struct path {
    struct place start; /* for relative paths; node null: the working directory */
    struct path_context *context;
    const struct credentials *who;
    unsigned flags;

    struct place found;     /* the place, or with PATH_PARENT its parent */
    node_ref above;         /* the directory of the last name, if what is there was found by it */
    unsigned type;          /* what is there, DT_*, if the walk learnt it; 0: it did not */
    bool last_is_directory; /* it ended with a slash */

    /* With PATH_PARENT: the last name, within `text` or `memory`: empty for the root, or "." or
     * "..", which no directory can be asked for. */
    struct node_name last;
    struct place there; /* with PATH_FOLLOW too: what is there, and its type above; or nothing */
    void *memory;       /* PATH_PARENT: freed by path_end() */
};

/*
 * Walks `text` (terminated, at most 4096 bytes with its end). 0, or what Linux says: -ENOENT,
 * -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -EXDEV; -K42_WAIT; -K42_STALE, to be walked again.
 */
K42_MUST_CHECK
k42_result path_walk(struct path *path, const char *text);

/* After a walk with PATH_PARENT, whatever it answered. */
void path_end(struct path *path);

static inline bool path_last_is_special(const struct path *path) {
    const struct node_name *last = &path->last;
    return last->length == 0 ||
           (last->text[0] == '.' &&
            (last->length == 1 || (last->length == 2 && last->text[1] == '.')));
}

/*
 * The name of a place as seen from `root`, from the end of `text` backwards; tells where it begins.
 * Returns 1 when the place is not below it, and the name that from the top of all. Errors:
 * -ENAMETOOLONG, -ENOENT (no longer reachable).
 */
K42_MUST_CHECK
k42_result path_name(const struct place *place, const struct place *root, char *text, size_t size,
                     char **begin);

/* The root or the working directory of a context, of use while active. */
struct place path_root(struct path_context *context);
struct place path_working(struct path_context *context);
/* Sets them, taking the place's hold over; releases what was there before. */
void path_set_root(struct path_context *context, const struct place *place);
void path_set_working(struct path_context *context, const struct place *place);
/* Sets those that are `from` to `to`, if that is still there to be held. */
void path_replace(struct path_context *context, const struct place *from, const struct place *to);

/* A context at the root of everything, with one reference. NULL: no memory. */
struct path_context *path_context_make(void);

/* Holds and releases both parts of a place. hold: -K42_STALE. */
K42_MUST_CHECK
k42_result place_hold(const struct place *place);
void place_release(const struct place *place);

#endif
