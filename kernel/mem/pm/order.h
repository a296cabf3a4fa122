/*
 * The order in which one PM's pages leave: what replacement policies keep, whichever it is.
 *
 * Pages stand in lists, oldest first. Two are of pages that are in memory, two of pages that have
 * left and are remembered for a while: of those nothing is kept but this record. Every policy uses
 * the same lists by its own rules, takes pages from lists it puts none into, and forgets what it
 * does not use; so one takes another's place with all of it, by pointer.
 *
 *              clock      2Q                 ARC (as clocks)        MRU
 *   NEW        the ring   came once          came once              the stack
 *   OFTEN      -          came again         came again, was used   not used yet, set aside
 *   NEW_GONE   -          left NEW           left NEW               -
 *   OFTEN_GONE -          -                  left OFTEN             -
 *
 * A page costs a record of 48 bytes and at most another for one that has left. Everything here
 * takes constant time; the table of records grows by one chain at a time (linear hashing), so
 * nobody ever waits for all of it to move.
 *
 * Locking: the owner's. Fails: order_add(), when there is no memory; a table that cannot grow has
 * longer chains.
 */
#ifndef KERNEL_PM_ORDER_H
#define KERNEL_PM_ORDER_H

#include <k42/ref.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum order_list {
    ORDER_NEW,
    ORDER_OFTEN,
    ORDER_NEW_GONE,
    ORDER_OFTEN_GONE,
    ORDER_LISTS,
    ORDER_NONE = ORDER_LISTS, /* in no list: somebody is just asking for it */
};

/* What became of a page while it was asked for. */
enum order_news { ORDER_NO_NEWS, ORDER_LEFT, ORDER_CAME_BACK };

struct order_page {
    struct order_page *next, *previous; /* in its list */
    struct order_page *chain;
    uint64_t index;
    k42_id fcm;
    uint8_t list, news;
};

struct order_ends {
    struct order_page *oldest, *newest;
    uint64_t count;
};

#define ORDER_SEGMENTS 32u

struct order {
    struct order_ends lists[ORDER_LISTS];
    uint64_t room;    /* pages that were in memory when it was last full */
    uint64_t target;  /* the policy's own number; ARC's: how many of them NEW should have */
    uint64_t records; /* looked at without the lock, too, whether there are any */
    uint64_t chains;
    struct order_page **segments[ORDER_SEGMENTS]; /* the second has as many as the first, the others
                                                     twice as many as the one before */
};

/* The record of a page, or NULL. */
struct order_page *order_find(const struct order *order, k42_id fcm, uint64_t index);
/* Makes one, in no list. NULL: no memory. */
struct order_page *order_add(struct order *order, k42_id fcm, uint64_t index);
/* Takes it out of its list and frees it. */
void order_forget(struct order *order, struct order_page *page);

/* Takes it out of its list. */
void order_take(struct order *order, struct order_page *page);
/* Puts it, which is in no list, at the end of the newest. */
void order_put(struct order *order, struct order_page *page, enum order_list list);
void order_move(struct order *order, struct order_page *page, enum order_list list);
/* Forgets the oldest of a list while it has more than so many; at most two. */
void order_trim(struct order *order, enum order_list list, uint64_t most);

static inline uint64_t order_count(const struct order *order, enum order_list list) {
    return order->lists[list].count;
}

/* Pages in memory. */
static inline uint64_t order_present(const struct order *order) {
    return order_count(order, ORDER_NEW) + order_count(order, ORDER_OFTEN);
}

/* Frees everything. */
void order_end(struct order *order);

/* ---- policies: what sets the classes apart ---- */

enum order_seen {
    ORDER_UNUSED, /* nobody has used it at all yet */
    ORDER_USED,   /* used since it was last asked for */
    ORDER_BUSY,   /* held, or on its way */
};

struct order_policy {
    /* Of NEW those go, too, that were used since (FCM_LEAVE_USED); or only those that anybody has
     * used (without FCM_LEAVE_UNUSED). Of OFTEN those that were not used since. */
    unsigned new_flags;
    /* A page came that is in no list; `from` is the list in which it was remembered, or
     * ORDER_NONE. */
    void (*came)(struct order *order, struct order_page *page, enum order_list from);
    /* A turn begins in which pages are wanted; NULL: nothing to do. */
    void (*begin)(struct order *order);
    /* Who should go next; NULL: nobody. */
    struct order_page *(*candidate)(struct order *order);
    /* It was asked for, taken from `list`, and stays; or goes. It is in no list. */
    void (*stays)(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen);
    void (*goes)(struct order *order, struct order_page *page, enum order_list list);
};

#endif
