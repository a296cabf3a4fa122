/*
 * Entities in a line, for policies: put in at either end, taken out anywhere. The `next` and
 * `before` of entities are the line's while they stand in it.
 *
 * And the policy that is one line, first come, first served: classes that differ in how long turns
 * are use its methods as they are. Locking: the CPU's. Cannot fail.
 */
#ifndef KERNEL_RUN_LINE_H
#define KERNEL_RUN_LINE_H

#include "run_body.h"

#define RUN_LOOKED_AT 16u /* entities, before giving up to find one that may move */

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

/* ---- the policy that is one line ---- */

struct run_lined {
    struct run_body body;
    struct run_line line;
};

/* Who gave way to somebody, or was waited for, comes first; others last. */
k42_result run_lined_add(struct run_queue *self, struct run_entity *entity, enum run_reason why,
                         uint64_t now);
struct k42_pair run_lined_take(struct run_queue *self);
struct k42_pair run_lined_take_movable(struct run_queue *self, unsigned cpu, uint64_t now);
k42_result run_lined_remove(struct run_queue *self, struct run_entity *entity, uint64_t now);

struct run_entity *run_lined_drain(struct k42_root *root);
extern const struct k42_transfer run_lined_transfers[];

#endif
