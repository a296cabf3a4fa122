/*
 * Locks on files: record locks of processes and of open files, and locks on whole files.
 *
 * They are advice between programs; no file system looks at them. A service: all locks stand in one
 * table, by node. A lock belongs to an owner, an object's id: a process's table of descriptors, or
 * an open file; whoever ends says so, and his locks go.
 */
#ifndef KERNEL_FS_LOCKS_H
#define KERNEL_FS_LOCKS_H

#include <k42/object.h>
#include <stdbool.h>

enum lock_kind { LOCK_RECORD, LOCK_WHOLE }; /* those of one kind do not see the other */
enum lock_type { LOCK_READ, LOCK_WRITE, LOCK_NONE };

struct file_lock {
    k42_id node, owner;
    enum lock_kind kind;
    enum lock_type type;
    uint64_t start, end; /* the last byte; ~0: to the end, wherever that is */
    int32_t process;     /* for those who ask */
};

/*
 * Sets or, with LOCK_NONE, takes away a lock of a range, replacing what the owner has there.
 * Errors: -K42_WAIT, another owner is in the way: with a point to wait at; -ENOMEM (-ENOLCK to
 * programs).
 */
K42_MUST_CHECK
k42_result locks_set(const struct file_lock *lock);

/* What is in the way of a lock, or in *found LOCK_NONE. */
void locks_find(const struct file_lock *lock, struct file_lock *found);

/* An owner's locks of one node, or of all (0), go. Costs next to nothing when he has none. */
void locks_drop(k42_id node, k42_id owner);

#endif
