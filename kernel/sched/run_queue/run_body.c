/*
 * What the policies share whatever their order is (run_body.h). Locking: the CPU's. Cannot fail.
 */
#include "run_body.h"

k42_result run_body_charge_nothing(struct run_queue *self, uint64_t ran_ns) {
    (void)self;
    (void)ran_ns;
    return 0;
}

k42_result run_body_count(struct run_queue *self) {
    return __atomic_load_n(&run_body_of(self)->count, __ATOMIC_RELAXED);
}

struct k42_pair run_body_self(struct run_queue *self) {
    return (struct k42_pair){.word = (uintptr_t)self};
}

k42_result run_body_export(struct k42_root *from, struct k42_state *state,
                           struct run_entity *(*drain)(struct k42_root *from)) {
    state->word[RUN_QUEUE_ROOT] = (uintptr_t)from;
    state->word[RUN_QUEUE_DRAIN] = (uintptr_t)drain;
    state->word[RUN_QUEUE_RUNNING] = (uintptr_t)run_body_of_root(from)->running;
    return 0;
}

k42_result run_body_import(struct k42_root *to, struct k42_state *state,
                           void (*put_last)(struct run_body *to, struct run_entity *entity)) {
    struct run_body *body = run_body_of_root(to);
    for (struct run_entity *entity; (entity = run_queue_next(state));)
        put_last(body, entity);
    body->running = (struct run_entity *)state->word[RUN_QUEUE_RUNNING];
    return 0;
}
