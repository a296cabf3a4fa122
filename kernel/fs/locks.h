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

/*
 * The same for who will wait as long as it takes: `waiter` says so while he does, and is the
 * caller's from the first attempt to locks_waited(). Errors: as above, and -EDEADLK: who is in the
 * way waits, himself or through others, for the caller. Owners that are open files neither cause
 * nor find that, since any process may let go of them.
 */
struct lock_waiter {
    struct lock_waiter *next;
    struct file_lock lock;
    bool listed;
};
K42_MUST_CHECK
k42_result locks_await(const struct file_lock *lock, struct lock_waiter *waiter);
void locks_waited(struct lock_waiter *waiter);

/* What is in the way of a lock, or in *found LOCK_NONE. */
void locks_find(const struct file_lock *lock, struct file_lock *found);

/* An owner's locks of one node, or of all (0), go. Costs next to nothing when he has none. */
void locks_drop(k42_id node, k42_id owner);

#endif
