/*
 * The interface `futex_table`: where the threads of one address space wait for its words.
 *
 * A word that only one address space has is waited for through this; one that several may share is
 * a point of the table of futexes of all (futexes_of_all.h). An address space has an object from
 * its second thread on, and whichever it is, who waits stands there and nowhere else; with one
 * thread there is nobody to wake, and the table of all does.
 *
 *   table_process.c   buckets of its own: no lock or line is shared with other processes
 *   table_global.c    the table of futexes of all: no memory of its own
 *
 * No method waits. Entries and sets are the callers' memory. A swap moves those that wait, each
 * word's in their order; who has a deadline may leave at the same time (wait_remove()).
 */
#ifndef KERNEL_FUTEX_TABLE_H
#define KERNEL_FUTEX_TABLE_H

#include <k42/class.h>
#include <stdbool.h>

struct futex_table;
struct wait_entry;
struct wait_point;
struct wait_requeue;
struct wait_set;

struct futex_table_ops {
    struct k42_object_ops object;

    /* The set's thread waits there from now on, once; it then looks at the word and sleeps. */
    K42_METHOD(add)
    (struct futex_table *self, K42_LOCAL struct wait_set *set, K42_LOCAL struct wait_entry *entry,
     K42_LOCAL const struct wait_point *point);

    /* Wakes up to `count` of those that wait there; returns how many. */
    K42_METHOD(wake)
    (struct futex_table *self, K42_LOCAL const struct wait_point *point, unsigned count);

    /* Wakes some, and makes others wait elsewhere: one of the points is the address space's.
     * Returns how many. Errors: -EAGAIN, the check said no. */
    K42_METHOD(requeue)(struct futex_table *self, K42_LOCAL const struct wait_requeue *how);
};

struct futex_table {
    const struct futex_table_ops *ops;
};
K42_DECLARE_REF(futex_table);
extern const struct k42_interface futex_table_interface;

/* Canonical: who waits, in a table of the wait table's kind. */
extern const struct k42_format futex_table_waiters;
enum {
    FUTEX_TABLE_SPACE,   /* k42_id: whose words they wait for */
    FUTEX_TABLE_BUCKETS, /* struct wait_bucket *; and */
    FUTEX_TABLE_SHIFT,   /* as in struct wait_table */
};

extern struct k42_class futex_table_global, futex_table_process;

/* Makes one for an address space: of the process's own, if it is sure that nobody waits for its
 * words yet; else the table of all, where they wait. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result futex_table_make(k42_id space, bool unused, k42_ref *made);

#endif
