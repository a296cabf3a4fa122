/*
 * Landlock: what a task has forbidden itself of files, for good, and by place.
 *
 * A task's *domain* is a chain of layers, newest first: one for each ruleset that it has put on
 * itself, and those its parent had. A layer forbids the rights that its ruleset handles wherever no
 * rule allows them, at the place itself or above it; a right that one layer still forbids is
 * forbidden. Layers never change and are counted; they are what tasks are compared by, too: who has
 * one traces only who has it as well.
 *
 *   rules.c     which file allows what: a table       domain.c    layers, and what they are asked
 *   ruleset.c   the file of a ruleset, and the calls
 *
 * Who has no domain pays one branch where something is opened or a name is changed. What
 * has no name any more is still below the directory that it had one in. Waits are those of the file
 * systems: callers are active and call again.
 */
#ifndef KERNEL_LANDLOCK_H
#define KERNEL_LANDLOCK_H

#include "../../fs/path.h"
#include "../task.h"

#include <errno.h>
#include <linux/landlock.h>

enum {
    LANDLOCK_OF_FILES =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE,
    LANDLOCK_ALL = 2 * LANDLOCK_ACCESS_FS_REFER - 1,
    LANDLOCK_LAYERS_MOST = 16,
};

struct landlock_domain;
struct rules;

struct landlock_domain *landlock_hold(struct landlock_domain *domain);
void landlock_release(struct landlock_domain *domain);

/* A domain with one layer more than `before`, of which it takes the hold over when it is made; so
 * it does with the rules. NULL: no memory. */
struct landlock_domain *landlock_add_layer(struct landlock_domain *before, struct rules *rules,
                                           uint32_t handled);
unsigned landlock_layers(const struct landlock_domain *domain);

/* Whether a task of the one domain may look into one of the other. */
bool landlock_contains(const struct landlock_domain *tracer, const struct landlock_domain *tracee);

/* Which right it takes to make something of this mode, and to take something of this type away. */
uint32_t landlock_right_to_make(uint32_t mode);
static inline uint32_t landlock_right_to_remove(bool is_directory) {
    return is_directory ? LANDLOCK_ACCESS_FS_REMOVE_DIR : LANDLOCK_ACCESS_FS_REMOVE_FILE;
}

/*
 * Whether the calling task has these rights at a place; `above` is the directory in which it was
 * found, or null: the one that it says itself. 0, -EACCES, or what a file system says.
 */
K42_MUST_CHECK
k42_result landlock_check(const struct place *place, node_ref above, uint32_t rights);
K42_MUST_CHECK
static inline k42_result landlock_may(const struct place *place, node_ref above, uint32_t rights) {
    if (__builtin_expect(!task_self()->landlock, 1))
        return 0;
    return landlock_check(place, above, rights);
}

/* Something that gets a name in a directory of the same mount: by link(), or by rename(). */
struct landlock_move {
    struct place from, to;   /* the directories; `from` may have a null node: any name's */
    node_ref old, displaced; /* what is there now, and at the new name, or null */
    bool removes;            /* the old name goes */
    bool swaps;              /* what is at the new name gets the old one */
};

/* 0, -EACCES, -EXDEV (it would be allowed more there than where it is), and as above. */
K42_MUST_CHECK
k42_result landlock_check_move(const struct landlock_move *move);

/* -EPERM for who has a domain: what is mounted where stays. */
K42_MUST_CHECK
static inline k42_result landlock_may_mount(void) {
    return task_self()->landlock ? -EPERM : 0;
}

#endif
