/*
 * A run queue for batch work: first come, first served, and long turns.
 *
 * A turn of 20 ms instead of 2 costs a tenth of the switches, and whoever waits waits ten times as
 * long. For one CPU that computes overnight:
 *
 *     ./k42 build components/run_queue_batch.c
 *     k42ctl load run_queue_batch.k42
 *     k42ctl swap --class run_queue.fair run_queue.batch
 *
 * The interface is kernel/sched/run_queue/run_queue.h. The scheduler calls with the CPU's lock held
 * and interrupts off, so there is no lock here, nothing waits, nothing can fail. Who is next is as
 * in the kernel's own policies of one line (k42/kernel/run_queue.h); only turns are long.
 */
#include <k42/kernel/run_queue.h>

K42_COMPONENT("run_queue_batch");

#define TURN_NS 20000000

static k42_result batch_slice(struct run_queue *self) {
    (void)self;
    return TURN_NS;
}

static k42_result batch_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "long turns: %ld wait", run_body_count(self));
}

static const struct run_queue_ops batch_ops = {
    .object.describe = batch_describe,
    .add = run_lined_add,
    .take = run_lined_take,
    .take_movable = run_lined_take_movable,
    .charge = run_body_charge_nothing,
    .remove = run_lined_remove,
    .slice = batch_slice,
    .count = run_body_count,
    .self = run_body_self,
};

/* Taking over from another policy, and handing over to one, is the line's as well. */
K42_CLASS(run_queue_batch) = {
    .name = "run_queue.batch",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=arrival turns=long",
    .kind = &k42_single,
    .root_size = sizeof(struct run_lined),
    .rep_offset = offsetof(struct run_lined, body.rep),
    .ops = &batch_ops,
    .transfers = run_lined_transfers,
};
