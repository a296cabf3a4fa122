/*
 * Where the pages of one FCM may be mapped: its attachments, by the first page they cover.
 *
 * A treap (a search tree that random priorities keep shallow), in which every node knows how far
 * the ranges below it reach; so entering, removing and finding the next that covers a range cost
 * the logarithm of how many there are, however many processes map a library.
 *
 * Locking: the owner's lock, for everything. Equal attachments may be entered more than once.
 */
#ifndef KERNEL_ATTACHMENTS_H
#define KERNEL_ATTACHMENTS_H

#include "fcm.h"

#include <stdbool.h>

struct attachment {
    struct attachment *left, *right;
    uint64_t reach;         /* the largest end of the ranges from here down */
    uint64_t stay_reach[2]; /* the same of those of which something stays, by enum fcm_stays */
    uint64_t priority;
    uint64_t number; /* in the order they came, from 1 */
    struct fcm_attachment what;
};

struct attachments {
    struct attachment *root;
    uint64_t count;
    uint64_t staying; /* of them, those of which something stays */
    uint64_t added;   /* ever: the number of the last */
    uint64_t random;
};

/* Enters one, whose memory (on the heap) is the set's then. */
void attachments_add(struct attachments *set, struct attachment *attachment);
/* Takes one that equals `what` out and returns it; NULL: there is none. */
struct attachment *attachments_take(struct attachments *set, const struct fcm_attachment *what);

#define ATTACHMENTS_AT_ONCE 16u

/* Some attachments, oldest first, with their numbers. */
struct attachments_found {
    unsigned count;
    uint64_t numbers[ATTACHMENTS_AT_ONCE];
    struct fcm_attachment what[ATTACHMENTS_AT_ONCE];
};

/*
 * The oldest that cover any of the pages [first, end) and are younger than the one numbered
 * `after`; 0: from the first on. Looks at all that cover them.
 */
void attachments_next(const struct attachments *set, uint64_t after, uint64_t first, uint64_t end,
                      struct attachments_found *found);

/* The end of those that cover a page and of which all stays, or with FCM_MAPPED_STAY what is mapped
 * at least; 0: there is none. */
uint64_t attachments_stay_until(const struct attachments *set, uint64_t page, enum fcm_stays how);

/* Visits all, in order, until visit() is not 0, which it returns. */
k42_result attachments_each(const struct attachments *set,
                            k42_result (*visit)(const struct fcm_attachment *what, void *context),
                            void *context);

/* Takes any one out; NULL: none is left. For ending and moving. */
struct attachment *attachments_take_any(struct attachments *set);

#endif
