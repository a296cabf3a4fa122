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

#include <errno.h>
#include <k42/class.h>

#define LOOKED_AT 16u /* entities, before giving up to find one that may move */

struct rounds {
    struct k42_root root;
    struct run_queue rep;
    struct run_line line;
    struct run_entity *running;
    uint32_t count;
};

static struct rounds *rounds_of(struct run_queue *self) {
    return k42_container(self, struct rounds, rep);
}

static struct run_entity *next_of(const struct rounds *queue) {
    return queue->line.first;
}

static void put_in(struct rounds *queue, struct run_entity *entity, bool first) {
    if (first)
        run_line_put_first(&queue->line, entity);
    else
        run_line_put_last(&queue->line, entity);
    queue->count++;
}

static void take_out(struct rounds *queue, struct run_entity *entity) {
    run_line_take_out(&queue->line, entity);
    queue->count--;
}

static k42_result rounds_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                             uint64_t now) {
    struct rounds *queue = rounds_of(self);
    (void)now;
    if (entity == queue->running)
        queue->running = NULL;
    put_in(queue, entity, why == RUN_RETURNED || why == RUN_AWAITED);
    return 0;
}

static struct k42_pair rounds_take(struct run_queue *self) {
    struct rounds *queue = rounds_of(self);
    struct run_entity *entity = next_of(queue);
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(queue, entity);
    queue->running = entity;
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static struct k42_pair rounds_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct rounds *queue = rounds_of(self);
    unsigned left = LOOKED_AT;
    struct run_entity *entity = run_line_movable(&queue->line, cpu, &left);
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(queue, entity);
    run_entity_leaves(entity, now);
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static k42_result rounds_charge(struct run_queue *self, uint64_t ran_ns) {
    (void)self;
    (void)ran_ns;
    return 0;
}

static k42_result rounds_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct rounds *queue = rounds_of(self);
    if (entity == queue->running)
        queue->running = NULL;
    else
        take_out(queue, entity);
    run_entity_leaves(entity, now);
    return 0;
}

static k42_result rounds_slice(struct run_queue *self) {
    const struct run_entity *running = rounds_of(self)->running;
    return (k42_result)(running ? run_turn(running, RUN_SLICE_NS) : RUN_SLICE_NS);
}

static k42_result rounds_count(struct run_queue *self) {
    return __atomic_load_n(&rounds_of(self)->count, __ATOMIC_RELAXED);
}

static struct k42_pair rounds_self(struct run_queue *self) {
    return (struct k42_pair){.word = (uintptr_t)self};
}

static k42_result rounds_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "rounds: %ld wait", rounds_count(self));
}

static const struct run_queue_ops rounds_ops = {
    .object.describe = rounds_describe,
    .add = rounds_add,
    .take = rounds_take,
    .take_movable = rounds_take_movable,
    .charge = rounds_charge,
    .remove = rounds_remove,
    .slice = rounds_slice,
    .count = rounds_count,
    .self = rounds_self,
};

/* ---- state ---- */

static struct run_entity *rounds_drain(struct k42_root *root) {
    struct rounds *queue = (struct rounds *)(void *)root;
    struct run_entity *entity = next_of(queue);
    if (entity)
        take_out(queue, entity);
    else
        queue->running = NULL;
    return entity;
}

static k42_result rounds_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[RUN_QUEUE_ROOT] = (uintptr_t)from;
    state->word[RUN_QUEUE_DRAIN] = (uintptr_t)rounds_drain;
    state->word[RUN_QUEUE_RUNNING] = (uintptr_t)((struct rounds *)(void *)from)->running;
    return 0;
}

static k42_result rounds_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct rounds *queue = (struct rounds *)(void *)to;
    struct run_entity *entity;
    (void)part;
    while ((entity = run_queue_next(state)))
        put_in(queue, entity, false);
    queue->running = (struct run_entity *)state->word[RUN_QUEUE_RUNNING];
    return 0;
}

static const struct k42_transfer rounds_transfers[] = {
    {.format = &run_queue_entities, .export_state = rounds_export, .import_state = rounds_import},
    {0},
};

K42_CLASS(run_queue_rounds) = {
    .name = "run_queue.rounds",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=rounds",
    .kind = &k42_single,
    .root_size = sizeof(struct rounds),
    .rep_offset = offsetof(struct rounds, rep),
    .ops = &rounds_ops,
    .transfers = rounds_transfers,
};
