/*
 * What all policies share: the canonical format's name, the pace of virtual time, who may move.
 * No state, no locks, no failures.
 */
#include "run_queue.h"

const struct k42_format run_queue_entities = {
    .name = "run_queue.entities", .version = 1, .cost = 1};

uint64_t run_pace(int nice) {
    uint64_t pace = 1ul << 16;
    for (; nice > 0; nice--)
        pace += pace / 4;
    for (; nice < 0; nice++)
        pace = pace * 4 / 5;
    return pace;
}

bool run_may_move(const struct run_entity *entity, unsigned cpu) {
    return entity->movable && (!entity->allowed || entity->allowed[cpu / 64] >> cpu % 64 & 1);
}
