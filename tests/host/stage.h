/*
 * A swap under way, held in the phase that a test wants to look at.
 *
 * `older` is inside a call that began before the swap and keeps it in its forward phase; `tracked`
 * is inside one that began during it and keeps it in its block phase.
 */
#ifndef K42_TESTS_STAGE_H
#define K42_TESTS_STAGE_H

#include "actors.h"

struct stage {
    k42_ref ref;
    struct actor older, tracked, swapper;
    struct gate older_gate, tracked_gate;
};

/* Makes an object of class `from` and starts the actors. */
void stage_open(struct stage *stage, struct k42_class *from);
/* Begins to swap it to `to`; returns when calls are forwarded. older adds 1 when let go. */
void stage_forward(struct stage *stage, struct k42_class *to);
/* The same with a request of the test's own, in stage->swapper.swap. */
void stage_forward_as_requested(struct stage *stage);
/* Has `tracked` call by its order (order_hold unless set), lets `older` go, and returns when calls
 * are blocked. tracked adds 10 when let go. */
void stage_block(struct stage *stage);
void stage_block_with(struct stage *stage, void (*order)(struct actor *));
/* Lets everybody go and waits for the swap's end; its result. */
k42_result stage_finish(struct stage *stage);
void stage_close(struct stage *stage);

/* Swaps an object of class `from` to `to`, whose import fails, while a call waits: the call goes on
 * in the old object, which has every amount. */
void stage_import_fails(struct k42_class *from, struct k42_class *to);

#endif
