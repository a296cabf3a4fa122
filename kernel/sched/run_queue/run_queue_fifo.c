/*
 * Run queue, first come, first served: the plainest order of turns, to the end of the line again
 * when a turn is over. Nice counts for nothing. For measuring what fairness costs, and for the time
 * before there are objects.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_queue_fifo.h"

#include "runtime.h"

#include <k42/class.h>

static k42_result fifo_slice(struct run_queue *self) {
    (void)self;
    return (k42_result)RUN_SLICE_NS;
}

static k42_result fifo_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "first come, first served: %ld wait", run_body_count(self));
}

static const struct run_queue_ops fifo_ops = {
    .object.describe = fifo_describe,
    .add = run_lined_add,
    .take = run_lined_take,
    .take_movable = run_lined_take_movable,
    .charge = run_body_charge_nothing,
    .remove = run_lined_remove,
    .slice = fifo_slice,
    .count = run_body_count,
    .self = run_body_self,
};

/* Before there are objects a CPU has one that is none. */
struct run_queue *run_queue_fifo_open(struct run_lined *fifo) {
    fifo->body.rep.ops = &fifo_ops;
    return &fifo->body.rep;
}

K42_CLASS(run_queue_fifo) = {
    .name = "run_queue.fifo",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=arrival",
    .kind = &k42_single,
    .root_size = sizeof(struct run_lined),
    .rep_offset = offsetof(struct run_lined, body.rep),
    .ops = &fifo_ops,
    .transfers = run_lined_transfers,
};
