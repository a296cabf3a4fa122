/*
 * The mediator: what stands in an object's place while it is swapped.
 *
 * Its word packs flags and the count of tracked calls, so that every decision that races with a
 * call entering or leaving is one atomic step on one word:
 *
 *     FORWARD (no flag)   calls enter, counted, and go on to the old object
 *     BLOCK, count > 0    only threads that are inside a blocking mediator's call enter; others
 * wait BLOCK, count = 0    closed: nobody enters any more, zero never becomes one DONE, ABORTED
 * calls are resolved again and made untracked
 *
 * The step that makes it closed (setting BLOCK at count zero, or the last leaving) is made by
 * exactly one thread, and that thread carries the ticket: it transfers and installs.
 *
 * Modelled in tests/models/mediator.pml.
 */
#ifndef K42_CORE_MEDIATOR_H
#define K42_CORE_MEDIATOR_H

#include "entry.h"

#define K42_MEDIATOR_BLOCK   1ull
#define K42_MEDIATOR_DONE    2ull
#define K42_MEDIATOR_ABORTED 4ull
#define K42_MEDIATOR_ONE     (1ull << 8) /* one tracked call */

enum { K42_HOLD_TO, K42_HOLD_FROM, K42_HOLD_ADAPTOR, K42_MEDIATOR_HOLDS };

struct k42_mediator {
    struct k42_root root; /* stands in the entry */
    struct k42_interceptor rep;
    uint64_t word;
    k42_id id;
    uint32_t ended; /* 0 until the swap is over one way or the other; slept on */

    struct k42_root *top;   /* what the entry led to: the old object, or interposers above it */
    struct k42_root **link; /* where the old root is linked from: an interposer, or `top` above */
    struct k42_root *old, *new;
    struct k42_root *into; /* what imports: `new`, or the object behind a new adaptor */
    struct k42_component *held[K42_MEDIATOR_HOLDS]; /* that have the swap on their ledgers */
    const struct k42_transfer *exporter, *importer;
    struct k42_state state;

    /* Transfer of parts: taken by the ticket's holder, the swapper, and callers that wait. */
    uint32_t transferring;
    uint32_t part_next, parts_done;
    long part_error;

    k42_result result; /* of the transfer */
    uint32_t touched;  /* CPUs that may have calls without a record */
    uint64_t calls;    /* that came while it stood there */
    uint64_t begun_ns, placed_ns, blocked_ns, closed_ns, ended_ns;
    struct k42_suspect holder;
    struct k42_defer defer;
};

/* A mediator for `id`, not yet in place. NULL: no memory. */
struct k42_mediator *k42_mediator_make(k42_id id);
/* Puts it in the object's place: needs the entry claimed. */
void k42_mediator_place(struct k42_mediator *mediator, struct k42_entry *entry);
/* Stops new calls. When it returns true the caller carries the ticket. */
bool k42_mediator_block(struct k42_mediator *mediator);
/* Gives up, unless closed already. True: it was given up, and k42_mediator_restore() is due. */
bool k42_mediator_abort(struct k42_mediator *mediator);
/* Puts the old object back after an abort, and lets everybody go on. */
void k42_mediator_restore(struct k42_mediator *mediator);
/* The ticket's work: transfers, installs, lets everybody go on. */
void k42_mediator_finish(struct k42_mediator *mediator);
/* Runs parts of a transfer under way, if there are any left. */
void k42_mediator_help(struct k42_mediator *mediator);
/* Transfers all parts; the result is import's. Nobody is inside the old object. */
k42_result k42_transfer_run(struct k42_mediator *mediator);
/* Names the new root in place of the old one. Needs the entry claimed. */
void k42_mediator_relink(struct k42_mediator *mediator, struct k42_entry *entry);

/*
 * In the child of a fork: misses and swaps that threads of the parent were carrying out are over
 * here. Objects that were being swapped go on as they were; those to be destroyed at the swap's end
 * are dead.
 */
void k42_entries_after_fork(void);

#endif
