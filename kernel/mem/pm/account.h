/*
 * Inside page managers: the account behind each, and who can give back.
 *
 *   body.c       what all classes do alike: taking, giving, dividing, limits
 *   pm_turns.c   the class that lets FCMs choose their pages; pm_clock.c and so on choose them
 *   order.c      the pages that those know, in lists
 *   account.c    accounts as a tree, and the FCMs that each knows
 *   relief.c     the thread that asks PMs, and what happens when nothing helps
 *
 * An account outlives its PM as long as one below it is there, or the relief thread looks at it.
 *
 * Locking: account->lock, leaf, for its FCMs and the list of those below it. Counts are atomic:
 * each PM's own line, shared by those that take from it; the machine's is not counted at all.
 * account->order_lock, leaf, for what the policy knows of pages.
 */
#ifndef KERNEL_PM_ACCOUNT_H
#define KERNEL_PM_ACCOUNT_H

#include "../../sched/wait.h"
#include "../fcm/fcm.h"
#include "../frame/frame.h"
#include "../heap/heap.h"
#include "order.h"
#include "pm.h"

#include <errno.h>
#include <k42/class.h>
#include <k42/lock.h>

#define PM_NO_LIMIT (~0ul)

/* Ids of FCMs, hashed, with room for as many again; a hand goes round them. */
struct fcm_set {
    k42_id *ids; /* 0: free */
    uint32_t room, count, hand;
};

struct account {
    struct account *above; /* NULL: the machine's */
    struct account *below, *next, **link;
    struct frame_consumer *consumer; /* NULL: the kernel's */
    uint32_t refs;
    uint64_t used, peak, limit, given_back;
    struct k42_lock lock;
    struct fcm_set fcms;
    uint32_t ends; /* with its last FCM and its last frame; atomic */

    /* The policy's. */
    struct k42_lock order_lock; /* leaf */
    struct order order;
    const struct order_policy *policy; /* whose order it is; NULL: nobody's, pages are not known */
    uint64_t came, came_back, asked, left, went_back;
    k42_id last_fcm; /* whose page came last, and which */
    uint64_t last_index;

    k42_id pm; /* the PM whose account it is; 0: not yet */

    /* Towards the relief thread. */
    k42_id waiting;         /* the PM at which callers wait */
    struct account *short_; /* whose limit, or the machine, is in the way; as last met */
    struct account *next_needy;
    uint32_t needy;    /* in its list, which holds a reference */
    uint32_t quiet;    /* turns in which nothing moved; the relief thread's own */
    uint64_t settled;  /* the grace period after which nothing is left that ended before; its own */
    uint32_t hopeless; /* nothing can be given back: the next one is told; until a frame is had */
};

/* NULL: no memory. The caller has the reference. */
struct account *account_make(struct account *above, uint64_t limit);
void account_hold(struct account *account);
void account_release(struct account *account);

/* Charges an account and those above it, beyond limits when it is urgent. NULL, or the one whose
 * limit is in the way. */
struct account *account_charge(struct account *account, uint64_t frames, bool urgent);
void account_discharge(struct account *account, uint64_t frames);

K42_MUST_CHECK
k42_result account_enlist(struct account *account, k42_id fcm);
void account_delist(struct account *account, k42_id fcm);
/* It is to end when it is not used any more. */
void account_end(struct account *account);
/* Whether it is not, and is to end: true once. To be asked whenever an FCM or frames have gone. */
bool account_is_over(struct account *account);
/* How many there are. */
uint32_t account_fcm_count(struct account *account);
/* The next FCM in turn; 0: none. */
k42_id account_next_fcm(struct account *account);
/* Asks one FCM for so many frames; each once, in turn, for its share of so many. Returns how many
 * were freed. Active callers. */
uint64_t account_ask_fcm(struct account *account, k42_id id, uint64_t share);
uint64_t account_ask_fcms(struct account *account, uint64_t wanted);
/* The next account below, held, after `after` (NULL: the first), which is released. NULL: none. */
struct account *account_next_below(struct account *account, struct account *after);

/* ---- relief.c ---- */

extern struct account *relief_machine;

K42_MUST_CHECK
k42_result relief_open(void);
/* Whether programs and files may take frames; otherwise they wait, and leave the rest to the
 * kernel, which needs some to give others back. A load while there is no pressure. Any context. */
bool relief_has_frames(void);
/* Somebody waits at `pm` for frames of this account, for want of `short_`'s. Any context. */
void relief_ask(struct account *account, struct account *short_, k42_id pm);

#endif
