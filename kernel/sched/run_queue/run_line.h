/*
 * Entities in a line, for policies: put in at either end, taken out anywhere. The `next` and
 * `before` of entities are the line's while they stand in it. Locking: the CPU's. Cannot fail.
 */
#ifndef KERNEL_RUN_LINE_H
#define KERNEL_RUN_LINE_H

#include "run_queue.h"

struct run_line {
    struct run_entity *first, *last;
};

/* Between two that stand next to each other, or at an end: NULL. */
static inline void run_line_put(struct run_line *line, struct run_entity *before,
                                struct run_entity *entity, struct run_entity *next) {
    entity->before = before;
    entity->next = next;
    *(before ? &before->next : &line->first) = entity;
    *(next ? &next->before : &line->last) = entity;
}

static inline void run_line_put_first(struct run_line *line, struct run_entity *entity) {
    run_line_put(line, NULL, entity, line->first);
}

static inline void run_line_put_last(struct run_line *line, struct run_entity *entity) {
    run_line_put(line, line->last, entity, NULL);
}

static inline void run_line_take_out(struct run_line *line, struct run_entity *entity) {
    *(entity->before ? &entity->before->next : &line->first) = entity->next;
    *(entity->next ? &entity->next->before : &line->last) = entity->before;
}

/* The first that CPU `cpu` may have, of some; *left says how many are still looked at. NULL. */
static inline struct run_entity *run_line_movable(const struct run_line *line, unsigned cpu,
                                                  unsigned *left) {
    struct run_entity *entity = line->first;
    for (; entity && *left; entity = entity->next, --*left)
        if (run_may_move(entity, cpu))
            return entity;
    return NULL;
}

/* One that leaves a queue which keeps no account of shares. */
static inline void run_entity_leaves(struct run_entity *entity, uint64_t now) {
    entity->ahead_ns = 0;
    entity->left_at = now;
    entity->left = NULL;
}

#endif
