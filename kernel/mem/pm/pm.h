/*
 * The interface `pm`: who may use how many frames, and who gives some back (PM: page manager).
 *
 * Every FCM and every HAT takes its frames from a PM; each process has one, all have the machine's
 * above them. FCMs that can give frames back register; when memory or a limit runs low the PM asks
 * them, from a thread of its own, and decides which. Page replacement is thus an object.
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
    PM_URGENT = 1, /* for those who give memory back: may take the last frames */
    PM_ZERO = 2,   /* the block is to be zero; or is, when it is given back */
    PM_TRY = 4,    /* -ENOMEM rather than giving anything back: read-ahead, large pages */
};

struct pm_usage {
    uint64_t used, peak; /* frames, of those below this one, too */
    uint64_t limit;      /* ~0: none */
    uint64_t fcms;       /* registered */
    uint64_t given_back; /* frames, since it began */
};

struct pm_ops {
    struct k42_object_ops object;

    /*
     * Takes a block of 2^order frames and returns its physical address in the word. Contents are
     * undefined without PM_ZERO. Errors: -K42_WAIT (key 0), -ENOMEM; a block of several frames is
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

    /* A PM below this one, with a limit in frames or ~0. Errors: -ENOMEM, -ENOSPC. */
    K42_METHOD(divide)(struct pm *self, uint64_t limit, K42_OUT k42_ref *below);

    /* Changes its own limit. Errors: -K42_WAIT while more is in use than that. */
    K42_METHOD(limit)(struct pm *self, uint64_t limit);

    /* Counts. */
    K42_METHOD(usage)(struct pm *self, K42_OUT struct pm_usage *usage);
};

struct pm {
    const struct pm_ops *ops;
};
K42_DECLARE_REF(pm);
extern const struct k42_interface pm_interface;

/* The machine's, above all others. */
extern pm_ref pm_machine;

/* The class of all of them. */
extern struct k42_class pm_turns;

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

#endif
