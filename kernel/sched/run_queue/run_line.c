/*
 * The policy that is one line (run_line.h). Locking: the CPU's. Formats: run_queue_entities. Cannot
 * fail.
 */
#include "run_line.h"

static struct run_lined *lined_of(struct run_queue *self) {
    return k42_container(run_body_of(self), struct run_lined, body);
}

static void take_out(struct run_lined *lined, struct run_entity *entity) {
    run_line_take_out(&lined->line, entity);
    lined->body.count--;
}

static void put_last(struct run_body *body, struct run_entity *entity) {
    run_line_put_last(&k42_container(body, struct run_lined, body)->line, entity);
    body->count++;
}

k42_result run_lined_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                         uint64_t now) {
    struct run_lined *lined = lined_of(self);
    (void)now;
    run_body_stops(&lined->body, entity);
    if (why == RUN_RETURNED || why == RUN_AWAITED) {
        run_line_put_first(&lined->line, entity);
        lined->body.count++;
    } else {
        put_last(&lined->body, entity);
    }
    return 0;
}

struct k42_pair run_lined_take(struct run_queue *self) {
    struct run_lined *lined = lined_of(self);
    struct run_entity *entity = lined->line.first;
    if (entity)
        take_out(lined, entity);
    return run_body_turn(&lined->body, entity);
}

struct k42_pair run_lined_take_movable(struct run_queue *self, unsigned cpu, uint64_t now) {
    struct run_lined *lined = lined_of(self);
    unsigned left = RUN_LOOKED_AT;
    struct run_entity *entity = run_line_movable(&lined->line, cpu, &left);
    if (entity)
        take_out(lined, entity);
    return run_body_lend(entity, now);
}

k42_result run_lined_remove(struct run_queue *self, struct run_entity *entity, uint64_t now) {
    struct run_lined *lined = lined_of(self);
    if (!run_body_stops(&lined->body, entity))
        take_out(lined, entity);
    run_entity_leaves(entity, now);
    return 0;
}

struct run_entity *run_lined_drain(struct k42_root *root) {
    struct run_lined *lined = k42_container(run_body_of_root(root), struct run_lined, body);
    struct run_entity *entity = lined->line.first;
    if (entity)
        take_out(lined, entity);
    else
        lined->body.running = NULL;
    return entity;
}

static k42_result export_entities(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_export(from, state, run_lined_drain);
}

static k42_result import_entities(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    return run_body_import(to, state, put_last);
}

const struct k42_transfer run_lined_transfers[] = {
    {.format = &run_queue_entities,
     .export_state = export_entities,
     .import_state = import_entities},
    {0},
};
