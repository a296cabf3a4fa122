/*
 * Notices: what happens to nodes, told to whoever watches them.
 *
 * The calls on files say what they have done to which node, or to which name in a directory; so
 * does the last release of an open file, and a file system of a node that only its watchers still
 * hold. While nothing is watched all that costs the test of one word, which is written only when
 * the number of watched nodes changes.
 *
 * A watch is its owner's: a mask of events and two functions, which run under the lock of a bucket
 * of watched nodes, so they call no object. A watched node is held.
 *
 * All functions: active callers, without a lock.
 */
#ifndef KERNEL_FS_NOTIFY_H
#define KERNEL_FS_NOTIFY_H

#include "file.h"
#include "node.h"

#include <k42/thread.h>

/* What happens, with the values of IN_ACCESS and so on. */
enum notify_event {
    NOTIFY_READ = 1,
    NOTIFY_WRITTEN = 2,
    NOTIFY_ATTRIBUTES = 4,
    NOTIFY_CLOSED_WRITER = 8,
    NOTIFY_CLOSED_READER = 16,
    NOTIFY_OPENED = 32,
    NOTIFY_MOVED_FROM = 64,
    NOTIFY_MOVED_TO = 128,
    NOTIFY_MADE = 256,
    NOTIFY_REMOVED = 512,
    NOTIFY_SELF_REMOVED = 1024,
    NOTIFY_SELF_MOVED = 2048,
    NOTIFY_EVENTS = 4095,
    NOTIFY_UNMOUNTED = 0x2000,     /* told to all */
    NOTIFY_DIRECTORY = 0x40000000, /* it happens to one */
};

struct notice {
    uint32_t what;
    uint32_t cookie;              /* the same in both halves of a move; or 0 */
    const struct node_name *name; /* in the watched directory; NULL: it is about the node itself */
    bool nameless;                /* an open file does it that has no name any more */
};

struct watch {
    /* The owner's, set before. */
    const void *owner; /* has one watch of a node at most */
    uint32_t mask;     /* with NOTIFY_DIRECTORY; changed by `again` alone */
    bool once;         /* ends with the first notice */
    bool named_only;   /* not of what nameless files do */
    void (*tell)(struct watch *watch, const struct notice *notice);
    /* Nothing is told any more; from then on it is the owner's to free, a grace period later. */
    void (*ended)(struct watch *watch);
    /* The table's. */
    k42_ref node;
    struct watched *on; /* NULL: it is not in, or has ended */
    struct watch *next, **link;
};

/* How many nodes are watched. Whoever is told of a watch before he makes a call sees it there. */
extern uint32_t notify_watched;

static inline bool notify_any(void) {
    return __builtin_expect(__atomic_load_n(&notify_watched, __ATOMIC_RELAXED) != 0, 0);
}

/* Once, with about how many nodes lists are to stay short. -ENOMEM. */
K42_MUST_CHECK
k42_result notify_open(size_t nodes);

/*
 * Watches a node: 0. When its owner does already, again() is asked instead, with both, and its
 * answer, more than 0 or an error, is given. Errors: -ENOMEM, -K42_STALE (the node is going).
 */
K42_MUST_CHECK
k42_result notify_watch(k42_ref node, struct watch *watch,
                        k42_result (*again)(struct watch *there, const struct watch *asked));
/* Ends one that has been in, unless it has ended. */
void notify_unwatch(struct watch *watch);

/* It happened to a node: told to who watches it, and to who watches the directory that knows it. */
void notify_node(node_ref node, uint32_t what);
/* It is what an open file does, which some want to know only while the node has a name. */
void notify_use(node_ref node, uint32_t what);
/* The same, of the file, unless it was opened for its path alone. */
void notify_file(file_ref file, uint32_t what);
/* To who watches the node alone. */
void notify_self(node_ref node, uint32_t what);
/* It happened to a name in a directory. */
void notify_name(node_ref directory, const struct node_name *name, uint32_t what, uint32_t cookie);
/* A node that the caller holds has lost this name, perhaps its last: then who watches the directory
 * is told by it of what open files do, as long as there are any. */
void notify_name_lost(node_ref node, node_ref directory, const struct node_name *name);
/* A number that no other move has. */
uint32_t notify_cookie(void);

/* Of a file system: a node has no name any more, and no holder but who watches it, if anybody. */
void notify_left(k42_ref node);

/* A file system is not mounted any more, the one of this node. Looks at all that is watched. */
void notify_unmounted(node_ref root);

/* What a call does, if anybody watches anything. */
static inline void notify_file_if_any(file_ref file, uint32_t what) {
    if (notify_any())
        notify_file(file, what);
}

#endif
