/*
 * A run queue for batch work: first come, first served, and long turns.
 *
 * A turn of 20 ms instead of 2 costs a tenth of the switches, and whoever waits waits ten times as
 * long. For one CPU that computes overnight:
 *
 *     ./k42 build components/run_queue_batch.c
 *     k42ctl load run_queue_batch.k42
 *     k42ctl swap --class run_queue.fair --to run_queue.batch
 *
 * The interface is kernel/sched/run_queue/run_queue.h. The scheduler calls with the CPU's lock held
 * and interrupts off, so there is no lock here, nothing waits, nothing can fail.
 */
#include <k42/kernel.h>

K42_COMPONENT("run_queue_batch");

#define TURN_NS   20000000
#define LOOKED_AT 16u /* before giving up to find one that another CPU may have */

struct batch {
    struct k42_root root;
    struct run_queue rep; /* what refs lead to */
    struct run_entity *first, *last, *running;
    uint32_t count;
};

static struct batch *batch_of(struct run_queue *self) {
    return k42_container(self, struct batch, rep);
}

static void put_in(struct batch *batch, struct run_entity *before, struct run_entity *entity,
                   struct run_entity *next) {
    entity->before = before;
    entity->next = next;
    *(before ? &before->next : &batch->first) = entity;
    *(next ? &next->before : &batch->last) = entity;
    batch->count++;
}

static void take_out(struct batch *batch, struct run_entity *entity) {
    *(entity->before ? &entity->before->next : &batch->first) = entity->next;
    *(entity->next ? &entity->next->before : &batch->last) = entity->before;
    batch->count--;
}

/* Who gave way to somebody more urgent goes on where he was. */
static k42_result batch_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                            uint64_t now) {
    struct batch *batch = batch_of(self);
    (void)now;
    if (entity == batch->running)
        batch->running = NULL;
    if (why == RUN_RETURNED || why == RUN_AWAITED)
        put_in(batch, NULL, entity, batch->first);
    else
        put_in(batch, batch->last, entity, NULL);
    return 0;
}

static struct k42_pair batch_take(struct run_queue *self) {
    struct batch *batch = batch_of(self);
    struct run_entity *entity = batch->first;
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(batch, entity);
    batch->running = entity;
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static struct k42_pair batch_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct batch *batch = batch_of(self);
    struct run_entity *entity = batch->first;
    (void)now;
    for (unsigned i = 0; entity && i < LOOKED_AT; i++, entity = entity->next)
        if (run_may_move(entity, cpu)) {
            take_out(batch, entity);
            return (struct k42_pair){.word = (uintptr_t)entity};
        }
    return (struct k42_pair){.result = -ENOENT};
}

static k42_result batch_charge(struct run_queue *self, uint64_t ran_ns) {
    (void)self;
    (void)ran_ns;
    return 0;
}

static k42_result batch_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct batch *batch = batch_of(self);
    if (entity == batch->running)
        batch->running = NULL;
    else
        take_out(batch, entity);
    entity->ahead_ns = 0;
    entity->left_at = now;
    entity->left = NULL;
    return 0;
}

static k42_result batch_slice(struct run_queue *self) {
    (void)self;
    return TURN_NS;
}

static k42_result batch_count(struct run_queue *self) {
    return __atomic_load_n(&batch_of(self)->count, __ATOMIC_RELAXED);
}

static struct k42_pair batch_self(struct run_queue *self) {
    return (struct k42_pair){.word = (uintptr_t)self};
}

static k42_result batch_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return (k42_result)k42_format_text(text, size, "long turns: %ld wait", batch_count(self));
}

static const struct run_queue_ops batch_ops = {
    .object.describe = batch_describe,
    .add = batch_add,
    .take = batch_take,
    .take_movable = batch_take_movable,
    .charge = batch_charge,
    .remove = batch_remove,
    .slice = batch_slice,
    .count = batch_count,
    .self = batch_self,
};

/* ---- taking over from another policy, and handing over to one ---- */

static struct run_entity *batch_drain(struct k42_root *root) {
    struct batch *batch = (struct batch *)(void *)root;
    struct run_entity *entity = batch->first;
    if (entity)
        take_out(batch, entity);
    else
        batch->running = NULL;
    return entity;
}

static k42_result batch_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[RUN_QUEUE_ROOT] = (uintptr_t)from;
    state->word[RUN_QUEUE_DRAIN] = (uintptr_t)batch_drain;
    state->word[RUN_QUEUE_RUNNING] = (uintptr_t)((struct batch *)(void *)from)->running;
    return 0;
}

static k42_result batch_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct batch *batch = (struct batch *)(void *)to;
    struct run_entity *entity;
    (void)part;
    while ((entity = run_queue_next(state)))
        put_in(batch, batch->last, entity, NULL);
    batch->running = (struct run_entity *)state->word[RUN_QUEUE_RUNNING];
    return 0;
}

static const struct k42_transfer batch_transfers[] = {
    {.format = &run_queue_entities, .export_state = batch_export, .import_state = batch_import},
    {0},
};

K42_CLASS(run_queue_batch) = {
    .name = "run_queue.batch",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=arrival turns=long",
    .kind = &k42_single,
    .root_size = sizeof(struct batch),
    .rep_offset = offsetof(struct batch, rep),
    .ops = &batch_ops,
    .transfers = batch_transfers,
};
