/*
 * The interface `pm`: who may use how many frames, and who gives some back (PM: page manager).
 *
 * Every FCM and every HAT takes its frames from a PM; each process has one, all have the machine's
 * above them. FCMs that can give frames back register and say which pages come and go; when memory
 * or a limit runs low the PM, called by a thread of its own kind (relief.c), decides which page is
 * to leave and asks its FCM for it. Page replacement is thus an object: each class is a policy, and
 * each file, process or machine may have its own.
 *
 * Methods do not wait: a PM at its limit starts giving back and answers -K42_WAIT; -ENOMEM when
 * there is nothing to give back. Both also with preemption off.
 */
#ifndef KERNEL_PM_H
#define KERNEL_PM_H

#include <k42/object.h>
#include <stdbool.h>

struct pm;

enum pm_flags {
    PM_URGENT = 1, /* for those who give memory back: may take the last frames, above limits */
    PM_ZERO = 2,   /* the block is to be zero; or is, when it is given back */
    PM_TRY = 4,    /* -ENOMEM rather than giving anything back: read-ahead, large pages */
    PM_CHARGE = 8, /* only the bill: for frames that one PM gave and another is to have given */
};

struct pm_usage {
    uint64_t used, peak; /* frames, of those below this one, too */
    uint64_t limit;      /* ~0: none */
    uint64_t fcms;       /* registered */
    uint64_t given_back; /* frames, since it began */
};

/* What a policy knows of pages; 0 where it does not keep count. */
struct pm_pages {
    uint64_t present, often, remembered; /* in memory; of those, in its second list; only known */
    uint64_t target;                     /* of those that came once, as ARC has learned */
    uint64_t came, came_back;            /* since it began; of those, while still remembered */
    uint64_t asked, left;                /* pages that were asked for, and those that went then */
    uint64_t went_back; /* times that a page of the same FCM came that lies far before the last */
};

struct pm_ops {
    struct k42_object_ops object;

    /*
     * Takes a block of 2^order frames and returns its physical address in the word. Contents are
     * undefined without PM_ZERO. With PM_CHARGE nothing but the bill changes, and give() is to be
     * called in the same way. Errors: -K42_WAIT (key 0), -ENOMEM; a block of several frames is
     * not waited for when the machine has none.
     */
    K42_METHOD_PAIR(take)(struct pm *self, unsigned order, unsigned flags);

    /* Gives a block back, with the order it was taken with; with PM_ZERO when it is full of zeros,
     * which spares the next one making it so. */
    K42_METHOD(give)(struct pm *self, uint64_t physical, unsigned order, unsigned flags);

    /* An FCM that can be asked to give back. Errors: -ENOMEM. */
    K42_METHOD(enlist)(struct pm *self, k42_ref fcm);

    /* No longer. */
    K42_METHOD(delist)(struct pm *self, k42_ref fcm);

    /* A PM below this one, of the same class, with a limit in frames or ~0. Errors: -ENOMEM. */
    K42_METHOD(divide)(struct pm *self, uint64_t limit, K42_OUT k42_ref *below);

    /* Changes its own limit. Errors: -K42_WAIT while more is in use than that. */
    K42_METHOD(limit)(struct pm *self, uint64_t limit);

    /* Counts. */
    K42_METHOD(usage)(struct pm *self, K42_OUT struct pm_usage *usage);

    /* A page of an FCM is in memory now; said again it changes nothing. Errors: -ENOMEM, it is not
     * known; it leaves when all others of its FCM have. */
    K42_METHOD(came)(struct pm *self, k42_ref fcm, uint64_t index);

    /* A page is in memory no longer: cut off, or asked for by this PM. */
    K42_METHOD(left)(struct pm *self, k42_ref fcm, uint64_t index);

    /* Makes FCMs give up to `wanted` frames back, of this PM alone. Returns how many. From relief's
     * thread. */
    K42_METHOD(reclaim)(struct pm *self, uint64_t wanted);

    /* Counts of the policy. */
    K42_METHOD(pages)(struct pm *self, K42_OUT struct pm_pages *pages);

    /* It ends when no FCM is registered any more and all its frames have come back: for a PM that a
     * file or some processes have of their own, when nobody will use it any more. */
    K42_METHOD(end_when_unused)(struct pm *self);
};

struct pm {
    const struct pm_ops *ops;
};
K42_DECLARE_REF(pm);
extern const struct k42_interface pm_interface;

/* The machine's, above all others. */
extern pm_ref pm_machine;

/* The classes; pm_turns is the machine's when it boots. */
extern struct k42_class pm_turns, pm_clock, pm_2q, pm_arc, pm_mru;

/* A PM of a class below the machine's. Errors: -ENOMEM. Active callers. */
K42_MUST_CHECK
k42_result pm_create(struct k42_class *class_, uint64_t limit, pm_ref *pm);

/* Makes that and starts the thread. Once, when the runtime and threads are there. May wait. Errors:
 * -ENOMEM. */
K42_MUST_CHECK
k42_result pm_open(void);

/*
 * Set by the personality: kills whoever should go when memory is out and nothing can be given back,
 * says so on the log, and returns whether somebody was found; while the one killed before is still
 * going, true and nobody else. Asked again every few milliseconds until there is memory. In thread
 * context, inactive; does not wait.
 */
extern bool (*pm_out_of_memory)(void);
/* Set by the personality, or NULL: whether the calling thread's program is ending, and what it
 * waits for is waited for by everybody. It is served as if it were PM_URGENT. */
extern bool (*pm_is_ending)(void);

/* What relief asks of the swap; NULL: nothing, there is none in this program. */
struct pm_swap {
    bool (*is_on)(void);
    /* Sends about `wanted` pages of programs out whose frames come from a PM, or whichever with the
     * null ref. 0: none went, and it would be of no use to ask again. Inactive. */
    uint64_t (*page_out)(k42_ref pm, uint64_t wanted);
    /* Frames of pages that are out. Active. */
    uint64_t (*give_back)(uint64_t wanted);
    /* How many pages are not written yet. Active. */
    uint64_t (*on_the_way)(void);
};
extern const struct pm_swap *pm_swap;

/* How often memory was refused for good since the kernel runs: frames by a PM, for which nobody may
 * wait any more, or a block by the frame allocator, of whom the kernel's own memory is. Any
 * context.
 */
uint64_t pm_refused(void);

/* Makes relief's thread look after what is to be done. Any context. */
void pm_wake_relief(void);

#endif
