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

void stage_import_fails(struct k42_class *from, struct k42_class *to) {
    struct stage stage;
    struct actor waiting;
    stage_open(&stage, from);
    actor_start(&waiting, "waiting");
    waiting.ref = stage.ref;
    waiting.amount = 100;
    stage_forward(&stage, to);
    stage_block(&stage);
    actor_begin(&waiting, order_add);
    await_held_back(&waiting, stage.ref);
    assert_int_equal(stage_finish(&stage), -EIO);
    actor_stop(&waiting);
    assert_int_equal(waiting.result, 0);
    assert_int_equal(fixture_which(stage.ref), fixture_number(from));
    assert_int_equal(fixture_value(stage.ref), 111);
    stage_close(&stage);
}
