/*
 * Run queue of rounds: everybody who is ready has a turn in each round, in the order they came, and
 * nice says how long it is: a quarter more for each step, between a quarter of the usual and four
 * times as long. Nobody is preempted for somebody who wakes, who comes at the end of the line.
 *
 * Every operation but looking for one that may move takes the same few instructions however many
 * wait: for machines whose many threads all compute, and where a share's precision is not wanted.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_line.h"

#include "runtime.h"

#include <k42/class.h>

static k42_result rounds_slice(struct run_queue *self) {
    const struct run_entity *running = run_body_of(self)->running;
    return (k42_result)(running ? run_turn(running, RUN_SLICE_NS) : RUN_SLICE_NS);
}

static k42_result rounds_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "rounds: %ld wait", run_body_count(self));
}

static const struct run_queue_ops rounds_ops = {
    .object.describe = rounds_describe,
    .add = run_lined_add,
    .take = run_lined_take,
    .take_movable = run_lined_take_movable,
    .charge = run_body_charge_nothing,
    .remove = run_lined_remove,
    .slice = rounds_slice,
    .count = run_body_count,
    .self = run_body_self,
};

K42_CLASS(run_queue_rounds) = {
    .name = "run_queue.rounds",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=rounds",
    .kind = &k42_single,
    .root_size = sizeof(struct run_lined),
    .rep_offset = offsetof(struct run_lined, body.rep),
    .ops = &rounds_ops,
    .transfers = run_lined_transfers,
};
