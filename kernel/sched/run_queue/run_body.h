/*
 * What the policies share whatever their order is: who runs, how many wait, what looking at a queue
 * and handing it over takes. A policy's struct begins with a struct run_body. Locking: the CPU's.
 */
#ifndef KERNEL_RUN_BODY_H
#define KERNEL_RUN_BODY_H

#include "run_queue.h"

#include <errno.h>

struct run_body {
    struct k42_root root;
    struct run_queue rep;
    struct run_entity *running;
    uint32_t count; /* of those that wait */
};

static inline struct run_body *run_body_of(struct run_queue *self) {
    return k42_container(self, struct run_body, rep);
}

static inline struct run_body *run_body_of_root(struct k42_root *root) {
    return k42_container(root, struct run_body, root);
}

/* The running one does not run any more, if it is this one. Otherwise false: it waits, or is new.
 */
static inline bool run_body_stops(struct run_body *body, const struct run_entity *entity) {
    if (entity != body->running)
        return false;
    body->running = NULL;
    return true;
}

/* What take() answers with the one whose turn it is, or NULL. */
static inline struct k42_pair run_body_turn(struct run_body *body, struct run_entity *entity) {
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    body->running = entity;
    return (struct k42_pair){.word = (uintptr_t)entity};
}

/* One that leaves a queue which keeps no account of shares. */
static inline void run_entity_leaves(struct run_entity *entity, uint64_t now) {
    entity->ahead_ns = 0;
    entity->left_at = now;
    entity->left = NULL;
}

/* What take_movable() answers with the one that goes, or NULL. */
static inline struct k42_pair run_body_lend(struct run_entity *entity, uint64_t now) {
    if (!entity)
        return (struct k42_pair){.result = -ENOENT};
    run_entity_leaves(entity, now);
    return (struct k42_pair){.word = (uintptr_t)entity};
}

/* Methods as they are. The first is of those that keep no account of time. */
k42_result run_body_charge_nothing(struct run_queue *self, uint64_t ran_ns);
k42_result run_body_count(struct run_queue *self);
struct k42_pair run_body_self(struct run_queue *self);

/* The format run_queue_entities: how the waiting ones are got, one by one, and put in. */
k42_result run_body_export(struct k42_root *from, struct k42_state *state,
                           struct run_entity *(*drain)(struct k42_root *from));
k42_result run_body_import(struct k42_root *to, struct k42_state *state,
                           void (*put_last)(struct run_body *to, struct run_entity *entity));

#endif
