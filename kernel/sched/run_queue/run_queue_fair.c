/*
 * Run queue of shares: each thread gets time in proportion to its weight, which nice sets.
 *
 * Every entity has a virtual time, which passes while it runs, the faster the less weight it has;
 * who waits with the least runs next. The queue's clock is the least virtual time of all that wait
 * or run, and never goes back. Where an entity stands in relation to the clock is by how much it is
 * ahead of its share, and that is what it takes with it when it sleeps or moves.
 *
 * Sleeping pays debts and earns nothing but precedence: who sleeps keeps its virtual time, so it
 * was ahead as soon as the clock has passed that, and who slept long comes back behind the clock by
 * one turn at the most, whatever the length of the sleep. So whoever sleeps much gets the CPU
 * quickly when it wakes and cannot keep it. It is the queue's clock that counts, not the time of
 * day, which passes faster the more wait: many that sleep for moments would always come back before
 * one that waits. A new thread begins half a turn ahead, so that starting threads wins nothing.
 *
 * Two heaps by virtual time, of those that may move to other CPUs and those that may not; so taking
 * one for another CPU costs as much as taking one for this. All operations cost the logarithm of
 * how many wait.
 *
 * Locking: the CPU's. Formats: run_queue_entities. Cannot fail.
 */
#include "run_body.h"

#include "runtime.h"

#include <k42/class.h>

#define GRAIN_NS  (RUN_SLICE_NS / 4) /* behind the running one by this much, one that wakes runs */
#define FIRST     0ul                /* before any virtual time; who comes first keeps its own */
#define LOOKED_AT 8u /* of the second ones, when the first of those that may move may not come */

struct fair {
    struct run_body body;
    uint64_t clock;
    struct heap movable, bound;
};

static struct fair *fair_of(struct run_queue *self) {
    return (struct fair *)(void *)run_body_of(self);
}

static struct run_entity *entity_of(struct heap_node *node) {
    return k42_container(node, struct run_entity, node);
}

static struct heap *heap_of(struct fair *fair, const struct run_entity *entity) {
    return entity->movable ? &fair->movable : &fair->bound;
}

static void put_in(struct fair *fair, struct run_entity *entity, uint64_t key) {
    heap_add(heap_of(fair, entity), &entity->node, key);
    fair->body.count++;
}

static void take_out(struct fair *fair, struct run_entity *entity) {
    heap_remove(heap_of(fair, entity), &entity->node);
    fair->body.count--;
}

/* The one that waits with the least virtual time, or NULL. */
static struct run_entity *least(const struct fair *fair) {
    struct heap_node *movable = fair->movable.first, *bound = fair->bound.first;
    if (movable && bound)
        return entity_of(bound->key < movable->key ? bound : movable);
    if (!movable && !bound)
        return NULL;
    return entity_of(movable ? movable : bound);
}

/* Virtual time that passes in `ns` for this one. */
static uint64_t at_pace(const struct run_entity *entity, uint64_t ns) {
    return (uint64_t)((unsigned __int128)ns * entity->pace >> 16);
}

static void move_clock(struct fair *fair) {
    const struct run_entity *next = least(fair);
    uint64_t now = next ? next->node.key : UINT64_MAX;
    if (fair->body.running && fair->body.running->virtual_ns < now)
        now = fair->body.running->virtual_ns;
    if (now != UINT64_MAX && now > fair->clock)
        fair->clock = now;
}

/* ---- where an entity stands ---- */

static void leave(const struct fair *fair, struct run_entity *entity) {
    entity->ahead_ns = (int64_t)(entity->virtual_ns - fair->clock);
    entity->left = fair;
}

/* Who comes from elsewhere, where another clock went, pays by time. (A queue that took the place of
 * another in memory may mistake it for its own; the bounds of arrive() hold all the same.) */
static void sleep_pays(const struct fair *fair, struct run_entity *entity, uint64_t now) {
    int64_t slept = (int64_t)(now - entity->left_at);
    if (entity->left == fair)
        entity->ahead_ns = (int64_t)(entity->virtual_ns - fair->clock);
    else if (entity->ahead_ns > 0)
        entity->ahead_ns = entity->ahead_ns > slept ? entity->ahead_ns - slept : 0;
}

static void arrive(const struct fair *fair, struct run_entity *entity) {
    int64_t most = (int64_t)at_pace(entity, 2 * RUN_SLICE_NS), least_ = -(int64_t)RUN_SLICE_NS;
    int64_t ahead = entity->ahead_ns;
    ahead = ahead > most ? most : ahead < least_ ? least_ : ahead;
    entity->virtual_ns = fair->clock + (uint64_t)ahead;
}

static k42_result fair_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                           uint64_t now) {
    struct fair *fair = fair_of(self);
    if (run_body_stops(&fair->body, entity)) {
        const struct run_entity *next = least(fair);
        if (why == RUN_YIELDED && next && next->virtual_ns >= entity->virtual_ns)
            entity->virtual_ns = next->virtual_ns + 1;
        /* Turns are short while others wait; a longer one is the machine's doing (it was stopped,
         * its clock was set), and not the entity's to make up for. */
        uint64_t most = fair->clock + at_pace(entity, 4 * RUN_SLICE_NS);
        if (entity->virtual_ns > most)
            entity->virtual_ns = most;
    } else if (why != RUN_AWAITED) {
        if (why == RUN_NEW)
            entity->ahead_ns = (int64_t)at_pace(entity, RUN_SLICE_NS / 2);
        if (why == RUN_WOKEN)
            sleep_pays(fair, entity, now);
        arrive(fair, entity);
    }
    put_in(fair, entity, why == RUN_AWAITED ? FIRST : entity->virtual_ns);
    return fair->body.running && entity->virtual_ns + GRAIN_NS < fair->body.running->virtual_ns;
}

static struct k42_pair fair_take(struct run_queue *self) {
    struct fair *fair = fair_of(self);
    struct run_entity *entity = least(fair);
    if (entity) {
        take_out(fair, entity);
        if (entity->node.key > fair->clock)
            fair->clock = entity->node.key;
    }
    return run_body_turn(&fair->body, entity);
}

/* The first of the heap, or one of its children. */
static struct run_entity *find_for(const struct fair *fair, unsigned cpu) {
    struct heap_node *first = fair->movable.first;
    if (!first || run_may_move(entity_of(first), cpu))
        return first ? entity_of(first) : NULL;
    struct heap_node *node = first->child;
    for (unsigned i = 0; node && i < LOOKED_AT; i++, node = node->sibling)
        if (run_may_move(entity_of(node), cpu))
            return entity_of(node);
    return NULL;
}

static struct k42_pair fair_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct fair *fair = fair_of(self);
    struct run_entity *entity = find_for(fair, cpu);
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    take_out(fair, entity);
    leave(fair, entity);
    entity->left_at = now;
    return (struct k42_pair){.word = (uintptr_t)entity};
}

static k42_result fair_charge(struct run_queue *self, uint64_t ran_ns) {
    struct fair *fair = fair_of(self);
    if (fair->body.running) {
        fair->body.running->virtual_ns += at_pace(fair->body.running, ran_ns);
        move_clock(fair);
    }
    return 0;
}

static k42_result fair_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct fair *fair = fair_of(self);
    if (!run_body_stops(&fair->body, entity))
        take_out(fair, entity);
    leave(fair, entity);
    entity->left_at = now;
    return 0;
}

static k42_result fair_slice(struct run_queue *self) {
    (void)self;
    return (k42_result)RUN_SLICE_NS;
}

static k42_result fair_describe(struct k42_object *object, char *text, size_t size) {
    struct run_queue *self = (struct run_queue *)(void *)object;
    return k42_format_text(text, size, "weighted shares: %ld wait", run_body_count(self));
}

static const struct run_queue_ops fair_ops = {
    .object.describe = fair_describe,
    .add = fair_add,
    .take = fair_take,
    .take_movable = fair_take_movable,
    .charge = fair_charge,
    .remove = fair_remove,
    .slice = fair_slice,
    .count = run_body_count,
    .self = run_body_self,
};

/* Far enough from 0 that nobody is before the beginning of time. */
static k42_result fair_init(struct k42_root *root, const void *args) {
    (void)args;
    ((struct fair *)(void *)root)->clock = 1ul << 40;
    return 0;
}

/* ---- state ---- */

static struct run_entity *fair_drain(struct k42_root *root) {
    struct fair *fair = (struct fair *)(void *)root;
    struct run_entity *entity = least(fair);
    if (entity) {
        take_out(fair, entity);
        leave(fair, entity);
    } else if (fair->body.running) {
        leave(fair, fair->body.running);
        fair->body.running = NULL;
    }
    return entity;
}

static k42_result fair_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_export(from, state, fair_drain);
}

static void put_last(struct run_body *body, struct run_entity *entity) {
    struct fair *fair = (struct fair *)(void *)body;
    arrive(fair, entity);
    put_in(fair, entity, entity->virtual_ns);
}

static k42_result fair_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct run_body *body = run_body_of_root(to);
    (void)part;
    run_body_import(to, state, put_last);
    if (body->running)
        arrive((struct fair *)(void *)body, body->running);
    return 0;
}

static const struct k42_transfer fair_transfers[] = {
    {.format = &run_queue_entities, .export_state = fair_export, .import_state = fair_import},
    {0},
};

K42_CLASS(run_queue_fair) = {
    .name = "run_queue.fair",
    .interface = &run_queue_interface,
    .version = 1,
    .traits = "order=share",
    .kind = &k42_single,
    .root_size = sizeof(struct fair),
    .rep_offset = offsetof(struct fair, body.rep),
    .ops = &fair_ops,
    .init = fair_init,
    .transfers = fair_transfers,
};
