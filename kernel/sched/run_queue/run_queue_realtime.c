/*
 * Run queue of priorities, for the first level: the highest that waits runs, its equals in the
 * order they came; those that say so take turns with their equals. (SCHED_FIFO and SCHED_RR.)
 *
 * A list for each priority and a bitmap of those that are not empty, so every operation but looking
 * for one that may move takes the same time however many wait.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_line.h"

#include "runtime.h"

#include <k42/class.h>

#define WORDS ((RUN_PRIORITIES + 63) / 64)

struct realtime {
    struct run_body body;
    uint64_t waiting[WORDS]; /* a bit for each line that is not empty */
    struct run_line lines[RUN_PRIORITIES];
};

static struct realtime *realtime_of(struct run_queue *self) {
    return (struct realtime *)(void *)run_body_of(self);
}

/* Those of the other level, should they be here, have the lowest and take turns. */
static uint32_t priority_of(const struct run_entity *entity) {
    return entity->priority < RUN_PRIORITIES ? entity->priority : RUN_PRIORITIES - 1;
}

static bool has_rounds(const struct run_entity *entity) {
    return entity->in_rounds || !entity->priority;
}

static void put_in(struct realtime *queue, struct run_entity *entity, bool at_the_head) {
    uint32_t priority = priority_of(entity);
    if (at_the_head)
        run_line_put_first(&queue->lines[priority], entity);
    else
        run_line_put_last(&queue->lines[priority], entity);
    queue->waiting[priority / 64] |= 1ul << priority % 64;
    queue->body.count++;
}

static void take_out(struct realtime *queue, struct run_entity *entity) {
    uint32_t priority = priority_of(entity);
    run_line_take_out(&queue->lines[priority], entity);
    if (!queue->lines[priority].first)
        queue->waiting[priority / 64] &= ~(1ul << priority % 64);
    queue->body.count--;
}

/* The first of the highest line below `limit`, or NULL. */
static struct run_entity *highest(const struct realtime *queue, uint32_t limit) {
    for (uint32_t word = WORDS; word--;) {
        uint64_t bits = queue->waiting[word];
        if (limit < word * 64 + 64)
            bits &= limit <= word * 64 ? 0 : (1ul << limit % 64) - 1;
        if (bits)
            return queue->lines[word * 64 + 63 - (uint32_t)__builtin_clzl(bits)].first;
    }
    return NULL;
}

static k42_result realtime_add(struct run_queue *self, struct run_entity *entity,
                               enum run_reason why, uint64_t now) {
    struct realtime *queue = realtime_of(self);
    (void)now;
    run_body_stops(&queue->body, entity);
    /* Who has no rounds keeps its place until it sleeps or gives way. */
    put_in(queue, entity,
           why == RUN_RETURNED || why == RUN_AWAITED ||
               (why == RUN_EXPIRED && !has_rounds(entity)));
    return queue->body.running && entity->priority > queue->body.running->priority;
}

static struct k42_pair realtime_take(struct run_queue *self) {
    struct realtime *queue = realtime_of(self);
    struct run_entity *entity = highest(queue, RUN_PRIORITIES);
    if (entity)
        take_out(queue, entity);
    return run_body_turn(&queue->body, entity);
}

static struct k42_pair realtime_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct realtime *queue = realtime_of(self);
    struct run_entity *entity = highest(queue, RUN_PRIORITIES);
    for (unsigned i = 0; entity && i < RUN_LOOKED_AT; i++) {
        if (run_may_move(entity, cpu)) {
            take_out(queue, entity);
            return run_body_lend(entity, now);
        }
        entity = entity->next ? entity->next : highest(queue, priority_of(entity));
    }
    return run_body_lend(NULL, now);
}

static k42_result realtime_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct realtime *queue = realtime_of(self);
    if (!run_body_stops(&queue->body, entity))
        take_out(queue, entity);
    run_entity_leaves(entity, now);
    return 0;
}

static k42_result realtime_slice(struct run_queue *self) {
    const struct run_entity *running = run_body_of(self)->running;
    if (running && has_rounds(running))
        return (k42_result)(running->priority ? RUN_ROUND_NS : RUN_SLICE_NS);
    return (k42_result)RUN_FOR_EVER;
}

static k42_result realtime_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "priorities: %ld wait", run_body_count(self));
}

static const struct run_queue_ops realtime_ops = {
    .object.describe = realtime_describe,
    .add = realtime_add,
    .take = realtime_take,
    .take_movable = realtime_take_movable,
    .charge = run_body_charge_nothing,
    .remove = realtime_remove,
    .slice = realtime_slice,
    .count = run_body_count,
    .self = run_body_self,
};

/* ---- state ---- */

static struct run_entity *realtime_drain(struct k42_root *root) {
    struct realtime *queue = (struct realtime *)(void *)root;
    struct run_entity *entity = highest(queue, RUN_PRIORITIES);
    if (entity)
        take_out(queue, entity);
    else
        queue->body.running = NULL;
    return entity;
}

static k42_result realtime_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_export(from, state, realtime_drain);
}

static void put_last(struct run_body *body, struct run_entity *entity) {
    put_in((struct realtime *)(void *)body, entity, false);
}

static k42_result realtime_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_import(to, state, put_last);
}

static const struct k42_transfer realtime_transfers[] = {
    {.format = &run_queue_entities,
     .export_state = realtime_export,
     .import_state = realtime_import},
    {0},
};

K42_CLASS(run_queue_realtime) = {
    .name = "run_queue.realtime",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=priority",
    .kind = &k42_single,
    .root_size = sizeof(struct realtime),
    .rep_offset = offsetof(struct realtime, body.rep),
    .ops = &realtime_ops,
    .transfers = realtime_transfers,
};
