/*
 * Run queue, first come, first served: the plainest order of turns, to the end of the line again
 * when a turn is over. Nice counts for nothing. For measuring what fairness costs, and for the time
 * before there are objects.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_queue_fifo.h"

#include "runtime.h"

#include <errno.h>
#include <k42/class.h>

#define LOOKED_AT 16u /* entities, before giving up to find one that may move */

static struct run_queue_fifo_root *fifo_of(struct run_queue *self) {
    return k42_container(self, struct run_queue_fifo_root, rep);
}

static void take_out(struct run_queue_fifo_root *fifo, struct run_entity *entity) {
    run_line_take_out(&fifo->line, entity);
    fifo->count--;
}

static k42_result fifo_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                           uint64_t now) {
    struct run_queue_fifo_root *fifo = fifo_of(self);
    (void)now;
    if (entity == fifo->running)
        fifo->running = NULL;
    if (why == RUN_RETURNED || why == RUN_AWAITED)
        run_line_put_first(&fifo->line, entity);
    else
        run_line_put_last(&fifo->line, entity);
    fifo->count++;
    return 0;
}

static struct k42_pair fifo_take(struct run_queue *self) {
    struct run_queue_fifo_root *fifo = fifo_of(self);
    struct run_entity *entity = fifo->line.first;
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(fifo, entity);
    fifo->running = entity;
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static struct k42_pair fifo_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct run_queue_fifo_root *fifo = fifo_of(self);
    unsigned left = LOOKED_AT;
    struct run_entity *entity = run_line_movable(&fifo->line, cpu, &left);
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(fifo, entity);
    run_entity_leaves(entity, now);
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static k42_result fifo_charge(struct run_queue *self, uint64_t ran_ns) {
    (void)self;
    (void)ran_ns;
    return 0;
}

static k42_result fifo_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct run_queue_fifo_root *fifo = fifo_of(self);
    if (entity == fifo->running)
        fifo->running = NULL;
    else
        take_out(fifo, entity);
    run_entity_leaves(entity, now);
    return 0;
}

static k42_result fifo_slice(struct run_queue *self) {
    (void)self;
    return (k42_result)RUN_SLICE_NS;
}

static k42_result fifo_count(struct run_queue *self) {
    return __atomic_load_n(&fifo_of(self)->count, __ATOMIC_RELAXED);
}

static struct k42_pair fifo_self(struct run_queue *self) {
    return (struct k42_pair){.word = (uintptr_t)self};
}

static k42_result fifo_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "first come, first served: %ld wait", fifo_count(self));
}

static const struct run_queue_ops fifo_ops = {
    .object.describe = fifo_describe,
    .add = fifo_add,
    .take = fifo_take,
    .take_movable = fifo_take_movable,
    .charge = fifo_charge,
    .remove = fifo_remove,
    .slice = fifo_slice,
    .count = fifo_count,
    .self = fifo_self,
};

/* Before there are objects a CPU has one that is none. */
struct run_queue *run_queue_fifo_open(struct run_queue_fifo_root *fifo) {
    fifo->rep.ops = &fifo_ops;
    return &fifo->rep;
}

/* ---- state ---- */

struct run_entity *run_queue_fifo_drain(struct run_queue_fifo_root *fifo) {
    struct run_entity *entity = fifo->line.first;
    if (entity)
        take_out(fifo, entity);
    else
        fifo->running = NULL;
    return entity;
}

static struct run_entity *fifo_drain(struct k42_root *root) {
    return run_queue_fifo_drain((struct run_queue_fifo_root *)(void *)root);
}

static k42_result fifo_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[RUN_QUEUE_ROOT] = (uintptr_t)from;
    state->word[RUN_QUEUE_DRAIN] = (uintptr_t)fifo_drain;
    state->word[RUN_QUEUE_RUNNING] =
        (uintptr_t)((struct run_queue_fifo_root *)(void *)from)->running;
    return 0;
}

static k42_result fifo_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct run_queue_fifo_root *fifo = (struct run_queue_fifo_root *)(void *)to;
    struct run_entity *entity;
    (void)part;
    for (; (entity = run_queue_next(state)); fifo->count++)
        run_line_put_last(&fifo->line, entity);
    fifo->running = (struct run_entity *)state->word[RUN_QUEUE_RUNNING];
    return 0;
}

static const struct k42_transfer fifo_transfers[] = {
    {.format = &run_queue_entities, .export_state = fifo_export, .import_state = fifo_import},
    {0},
};

K42_CLASS(run_queue_fifo) = {
    .name = "run_queue.fifo",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=arrival",
    .kind = &k42_single,
    .root_size = sizeof(struct run_queue_fifo_root),
    .rep_offset = offsetof(struct run_queue_fifo_root, rep),
    .ops = &fifo_ops,
    .transfers = fifo_transfers,
};
