/*
 * What all policies share: the canonical format's name, the pace of virtual time, lengths of turns,
 * who may move. No state, no locks, no failures.
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

uint64_t run_turn(const struct run_entity *entity, uint64_t usual) {
    uint64_t turn = entity->pace ? (usual << 16) / entity->pace : usual;
    return turn < usual / 4 ? usual / 4 : turn > usual * 4 ? usual * 4 : turn;
}

bool run_may_move(const struct run_entity *entity, unsigned cpu) {
    return entity->movable && (!entity->allowed || entity->allowed[cpu / 64] >> cpu % 64 & 1);
}
