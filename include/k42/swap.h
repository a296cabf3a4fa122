/*
 * Hot swap: replaces a live object by one of another class that takes over its state.
 *
 * Callers notice nothing but, at most, a short wait. The steps: choose the cheapest common format;
 * make and prepare the new object; put a mediator in front of the old one; *forward* calls through
 * it until every call that had begun without it is over; *block* new calls until the tracked ones
 * have left (a thread that is itself inside a call being waited for passes); transfer the state;
 * install the new object; release the blocked; end the old one. If the deadline passes first, or
 * the import fails, the old object goes on unharmed and the report says who or what was in the way.
 * No call is lost, none runs twice, none sees both objects.
 */
#ifndef K42_SWAP_H
#define K42_SWAP_H

#include <k42/object.h>

#ifdef __cplusplus
extern "C" {
/* In C a struct and the function that takes it may share a name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

enum k42_swap_phase {
    K42_SWAP_PREPARE,
    K42_SWAP_FORWARD,
    K42_SWAP_BLOCK,
    K42_SWAP_TRANSFER,
    K42_SWAP_DONE,
    K42_SWAP_ABORTED,
};

#define K42_SWAP_DEADLINE_NS 10000000ull /* from the first mediated call to the last: 10 ms */

/* How a swap went. */
struct k42_swap_report {
    k42_result result;         /* 0, or why not */
    enum k42_swap_phase phase; /* DONE, or where it was given up */
    const char *format;        /* chosen format's name, or NULL */
    uint32_t attempts;         /* retries after a deadline or a format that outgrew its room */
    uint64_t calls;            /* that came to the object meanwhile, of which none was lost */
    uint32_t holder_thread;    /* thread id of who held it up, 0 if nobody */
    char holder_name[16];      /* its name */
    k42_id holder_object;      /* the call it was in, where known; 0 if not */
    char holder_method[32];
    uint64_t prepare_ns, forward_ns, block_ns, transfer_ns;
    char text[160]; /* all of this as a sentence, for people */
};

/* A swap asked for. The struct is the caller's until `done` has run or k42_swap_run() returned. */
struct k42_swap {
    k42_ref ref;
    struct k42_class *to; /* class of the replacement; one that is not there any more is refused */
    struct k42_class *from; /* only if it is still of this class (-ESTALE otherwise); NULL: any */
    uint64_t deadline_ns;   /* 0: K42_SWAP_DEADLINE_NS */
    uint64_t forward_ns;    /* so long, at most, calls are forwarded until one has come; 0: not */
    uint32_t attempts;      /* tries in all after deadlines, backing off; 0: 1 */
    void (*done)(struct k42_swap *); /* called inactive, once, after the end; may be NULL */
    /* Called before each try by who performs it, inactive; may be NULL: sets `to`, and `from`, for
     * who means whichever version there is by then. An error refuses the swap. */
    k42_result (*aim)(struct k42_swap *);
    void *context;
    struct k42_swap_report report;
    struct k42_swap *next; /* the runtime's, from here on */
    struct k42_module *module;
    struct k42_mediator *mediator;
    uint32_t pending, grown;
};

/*
 * Swaps one object, in the simplest form: `report` may be NULL. From an inactive thread it waits
 * and returns the outcome; from an active one it copies the request, returns K42_QUEUED, and a
 * worker performs it (the report is then not written).
 *
 * Errors: -K42_STALE (dead ref); -ENOENT (the class is not registered, or its component is being
 * unloaded; it need not be there any more); -EBUSY (being swapped already); -ENOTSUP (no common
 * format, named in the report; or another interface); -ETIMEDOUT (deadline; the report names the
 * holder); -ENOMEM; -ESTALE (no longer of class `from`); what the import returned. After any error
 * the old object is in place, with its state.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_swap(k42_ref ref, struct k42_class *to, struct k42_swap_report *report);

/* Performs a request and waits. Inactive callers only (-EDEADLK). Other errors: those of
 * k42_swap().
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_swap_run(struct k42_swap *request);

/* Hands a request to the worker, and returns K42_QUEUED; `done` tells the end. Any context. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_swap_submit(struct k42_swap *request);

/*
 * Performs many, of whatever objects, sharing grace periods; returns how many succeeded, each
 * request's report says its own. Inactive callers only (-EDEADLK).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_swap_batch(struct k42_swap *const *requests, size_t count);

/* Waits until every swap submitted before has ended. Inactive callers only: -EDEADLK otherwise. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_swap_flush(void);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif
#endif
