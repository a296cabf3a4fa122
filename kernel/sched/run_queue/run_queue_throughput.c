/*
 * Run queue for throughput: long turns, and no switch because somebody woke.
 *
 * Those that wake, and new ones, are gathered. When the running one's turn is over, or it sleeps,
 * all that were gathered by then are served one after the other, a batch, while the next ones
 * gather; then one of those that compute has a turn, and so on. So caches stay warm for ten times
 * as long as with shares, one end of a pipe runs until it is full or empty, and yet who wakes waits
 * for one long turn and the batch before his, and who computes for one batch, which is finite.
 *
 * Every operation but looking for one that may move takes the same few instructions however many
 * wait. Nice sets the length of turns. In which line an entity stands is noted in virtual_ns.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_line.h"

#include "runtime.h"

#include <k42/class.h>

#define LONG_NS (10 * RUN_SLICE_NS)

/* Two lines are the batch and those that gather, by turns. */
enum { COMPUTING = 2, LINES };

struct throughput {
    struct run_body body;
    struct run_line lines[LINES];
    unsigned batch;         /* which of the first two is served; the other gathers */
    bool one_that_computes; /* has its turn before the next batch; one for each batch */
};

static struct throughput *throughput_of(struct run_queue *self) {
    return (struct throughput *)(void *)run_body_of(self);
}

/* Whose line is next; one without anybody when nobody waits. */
static unsigned next_line(const struct throughput *queue) {
    if (queue->lines[queue->batch].first)
        return queue->batch;
    if (queue->lines[COMPUTING].first &&
        (queue->one_that_computes || !queue->lines[!queue->batch].first))
        return COMPUTING;
    return !queue->batch;
}

static struct run_entity *next_of(const struct throughput *queue) {
    return queue->lines[next_line(queue)].first;
}

static void put_in(struct throughput *queue, unsigned line, struct run_entity *entity, bool first) {
    entity->virtual_ns = line;
    if (first)
        run_line_put_first(&queue->lines[line], entity);
    else
        run_line_put_last(&queue->lines[line], entity);
    queue->body.count++;
}

static void take_out(struct throughput *queue, struct run_entity *entity) {
    run_line_take_out(&queue->lines[entity->virtual_ns], entity);
    queue->body.count--;
}

static k42_result throughput_add(struct run_queue *self, struct run_entity *entity,
                                 enum run_reason why, uint64_t now) {
    struct throughput *queue = throughput_of(self);
    (void)now;
    run_body_stops(&queue->body, entity);
    bool computed = entity->virtual_ns == COMPUTING; /* when it was taken */
    if (why == RUN_RETURNED && computed) {
        put_in(queue, COMPUTING, entity, true);
        queue->one_that_computes = true;
    } else if (why == RUN_RETURNED || why == RUN_AWAITED)
        put_in(queue, queue->batch, entity, true);
    else if (why == RUN_EXPIRED || why == RUN_YIELDED)
        put_in(queue, COMPUTING, entity, false);
    else
        put_in(queue, !queue->batch, entity, false);
    return 0;
}

static struct k42_pair throughput_take(struct run_queue *self) {
    struct throughput *queue = throughput_of(self);
    unsigned line = next_line(queue);
    struct run_entity *entity = queue->lines[line].first;
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(queue, entity);
    if (line == COMPUTING || line != queue->batch)
        queue->one_that_computes = line != COMPUTING;
    if (line != COMPUTING)
        queue->batch = line;
    return run_body_turn(&queue->body, entity);
}

/* Those that compute have least to lose. */
static struct k42_pair throughput_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct throughput *queue = throughput_of(self);
    unsigned left = RUN_LOOKED_AT;
    struct run_entity *entity = NULL;
    for (unsigned line = LINES; line-- && !entity;)
        entity = run_line_movable(&queue->lines[line], cpu, &left);
    if (entity)
        take_out(queue, entity);
    return run_body_lend(entity, now);
}

static k42_result throughput_remove(struct run_queue *self, struct run_entity *entity,
                                    uint64_t now) {
    struct throughput *queue = throughput_of(self);
    if (!run_body_stops(&queue->body, entity))
        take_out(queue, entity);
    run_entity_leaves(entity, now);
    return 0;
}

static k42_result throughput_slice(struct run_queue *self) {
    const struct run_entity *running = run_body_of(self)->running;
    return (k42_result)(running ? run_turn(running, LONG_NS) : LONG_NS);
}

static k42_result throughput_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "long turns: %ld wait", run_body_count(self));
}

static const struct run_queue_ops throughput_ops = {
    .object.describe = throughput_describe,
    .add = throughput_add,
    .take = throughput_take,
    .take_movable = throughput_take_movable,
    .charge = run_body_charge_nothing,
    .remove = throughput_remove,
    .slice = throughput_slice,
    .count = run_body_count,
    .self = run_body_self,
};

/* ---- state ---- */

static struct run_entity *throughput_drain(struct k42_root *root) {
    struct throughput *queue = (struct throughput *)(void *)root;
    struct run_entity *entity = next_of(queue);
    if (entity)
        take_out(queue, entity);
    else
        queue->body.running = NULL;
    return entity;
}

static k42_result throughput_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_export(from, state, throughput_drain);
}

static void put_last(struct run_body *body, struct run_entity *entity) {
    put_in((struct throughput *)(void *)body, COMPUTING, entity, false);
}

static k42_result throughput_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_import(to, state, put_last);
}

static const struct k42_transfer throughput_transfers[] = {
    {.format = &run_queue_entities,
     .export_state = throughput_export,
     .import_state = throughput_import},
    {0},
};

K42_CLASS(run_queue_throughput) = {
    .name = "run_queue.throughput",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=batches turns=long",
    .kind = &k42_single,
    .root_size = sizeof(struct throughput),
    .rep_offset = offsetof(struct throughput, body.rep),
    .ops = &throughput_ops,
    .transfers = throughput_transfers,
};
