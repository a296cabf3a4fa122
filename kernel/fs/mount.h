/*
 * Mounts: which file system's root stands before which directory. One name space for all programs.
 *
 * Finding takes no lock. Mounts are made and taken away under one lock, which is rare, and freed a
 * grace period after their last reference: of being attached, of places held, and of mounts on
 * them. Whoever is active may use any mount that he found.
 */
#ifndef KERNEL_FS_MOUNT_H
#define KERNEL_FS_MOUNT_H

#include "path.h"

#include <k42/thread.h>

enum { MOUNT_TEXT = 64 };

struct mount {
    struct mount *parent; /* NULL: the first, or detached */
    node_ref point;       /* the node of the parent that it stands before */
    node_ref root;
    uint32_t id;
    uint32_t flags;      /* node_mount_flags */
    uint32_t references; /* atomic */
    uint32_t mounts;     /* attached to this one; changed under the lock */
    bool attached;
    bool loose;                  /* it never was; changed under the lock */
    struct mount *next;          /* at the same hash */
    struct mount *newer, *older; /* in order of mounting */
    struct k42_defer defer;
    char type[MOUNT_TEXT], source[MOUNT_TEXT];
};

/* What is to be mounted; both texts are copied. */
struct mount_new {
    node_ref root; /* with a hold, which becomes the mount's */
    unsigned flags;
    const char *type, *source;
};

/*
 * Mounts before `at`; the very first with a NULL `at`. The mount in *made (may be NULL), which
 * stays while it is attached. On an error the hold of the root is the caller's. Errors: -ENOMEM,
 * -ENOENT (`at` went), -EBUSY (there is a first one already).
 */
K42_MUST_CHECK
k42_result mount_add(const struct place *at, const struct mount_new *what, struct mount **made);

/* Takes a mount away; `detach`, though it is in use, and with what is mounted below. Errors:
 * -EBUSY, -EINVAL (the first, or not attached). */
K42_MUST_CHECK
k42_result mount_remove(struct mount *mount, bool detach);

/* A mount that stands nowhere yet, with one reference, the caller's: the last one ends it, unless
 * mount_move() has put it somewhere. Errors: as mount_add(). */
K42_MUST_CHECK
k42_result mount_make_loose(const struct mount_new *what, struct mount **made);

/* Moves a mount to before another place. Errors: -EINVAL, -ELOOP (below itself), -ENOENT. */
K42_MUST_CHECK
k42_result mount_move(struct mount *mount, const struct place *to);

/*
 * A mount takes the place of another one that it lies below, and that one goes to `old`, which lies
 * below the first. Errors: -EINVAL (they do not, or the other one stands nowhere), -ENOENT.
 */
K42_MUST_CHECK
k42_result mount_pivot(struct mount *root, struct mount *new, const struct place *old);

/* What stands before a node of a mount; NULL: nothing. */
struct mount *mount_find(const struct mount *mount, node_ref node);
/* The first mount; NULL before there is one. */
struct mount *mount_first(void);

/* One reference more. False: it is going. */
bool mount_hold(struct mount *mount);
void mount_release(struct mount *mount);

/* The attached mount after one of that id in order of mounting (0: the first), active callers. */
struct mount *mount_next(uint32_t id);

/* Takes flags of a mount away, and gives it others. */
void mount_change_flags(struct mount *mount, unsigned clear, unsigned set);

/* Goes from a place to what stands before it, however many. */
static inline void mount_descend(struct place *place) {
    struct mount *found;
    while (place->mount && __atomic_load_n(&place->mount->mounts, __ATOMIC_RELAXED) &&
           (found = mount_find(place->mount, place->node)))
        *place = (struct place){found, found->root};
}

/* Goes from the root of a mount to what it stands before. False: nothing, it is the first. */
static inline bool mount_ascend(struct place *place) {
    struct mount *parent = __atomic_load_n(&place->mount->parent, __ATOMIC_ACQUIRE);
    if (!parent)
        return false;
    *place = (struct place){parent, place->mount->point};
    return true;
}

#endif
