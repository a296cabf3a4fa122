/*
 * Steering a swap from phase to phase (stage.h).
 */
#include "stage.h"

void stage_open(struct stage *stage, struct k42_class *from) {
    memset(stage, 0, sizeof *stage);
    actor_start(&stage->older, "older");
    actor_start(&stage->tracked, "tracked");
    actor_start(&stage->swapper, "swapper");
    stage->ref = fixture_create(from);
    stage->older.ref = stage->tracked.ref = stage->swapper.ref = stage->ref;
    stage->older.gate = &stage->older_gate;
    stage->tracked.gate = &stage->tracked_gate;
    stage->older.amount = 1;
    stage->tracked.amount = 10;
}

void stage_forward_as_requested(struct stage *stage) {
    stage->older_gate = stage->tracked_gate = (struct gate){0};
    actor_begin(&stage->older, order_hold);
    gate_await(&stage->older_gate, 1);
    actor_begin(&stage->swapper, order_swap);
    WAIT_UNTIL(swap_phase(stage->ref) == FORWARDING || !actor_is_busy(&stage->swapper));
}

void stage_forward(struct stage *stage, struct k42_class *to) {
    stage->swapper.to = to;
    stage_forward_as_requested(stage);
    assert_int_equal(swap_phase(stage->ref), FORWARDING);
}

void stage_block_with(struct stage *stage, void (*order)(struct actor *)) {
    actor_begin(&stage->tracked, order);
    gate_await(&stage->tracked_gate, 1);
    gate_open(&stage->older_gate);
    actor_finish(&stage->older);
    WAIT_UNTIL(swap_phase(stage->ref) == BLOCKING || !actor_is_busy(&stage->swapper));
}

void stage_block(struct stage *stage) {
    stage_block_with(stage, order_hold);
}

k42_result stage_finish(struct stage *stage) {
    gate_open(&stage->older_gate);
    gate_open(&stage->tracked_gate);
    actor_finish(&stage->older);
    actor_finish(&stage->tracked);
    actor_finish(&stage->swapper);
    return stage->swapper.result;
}

void stage_close(struct stage *stage) {
    actor_stop(&stage->older);
    actor_stop(&stage->tracked);
    actor_stop(&stage->swapper);
}
