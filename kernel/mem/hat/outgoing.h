/*
 * Pages on their way out: what the clock (page_out.c) collects, and the swap gets (hand_over.c).
 */
#ifndef KERNEL_HAT_OUTGOING_H
#define KERNEL_HAT_OUTGOING_H

#include "tables.h"

enum { OUT_AT_ONCE = 16 };

/* A page whose entry has just become one that is out. */
struct gone {
    uint64_t entry; /* as it was */
    swap_slot slot;
    uint64_t copy; /* the frame for a part's, or 0 */
    bool known;    /* the slot has it already; otherwise there is a hold of it besides the entry's,
                      since that may go at any moment */
};

struct outgoing {
    struct hat_tables *tables;
    const struct hat_kept *kept; /* or NULL */
    unsigned looks;              /* that may still be made */
    unsigned most;               /* pages are to go */
    unsigned slots;              /* at hand */
    bool had_slots;
    swap_slot slot[OUT_AT_ONCE];
    unsigned copies; /* frames at hand, for parts */
    uint64_t copy[OUT_AT_ONCE];
    unsigned count;
    struct gone gone[OUT_AT_ONCE];
    bool copy_lacks; /* the clock stands at a part, and needs a frame */
    bool no_copies;  /* there is none */
    bool found;      /* a page that went, or counts as unused from now on */
    bool flush_needed;
};

/* Gives pages that every CPU has forgotten to the swap, or drops those that it has already. */
void outgoing_hand_over(const struct outgoing *out);
/* Takes frames for copies of parts; `no_copies` when there are none. */
void outgoing_take_copies(struct outgoing *out);
/* Slots and frames that were not needed. */
void outgoing_end(const struct outgoing *out);

#endif
