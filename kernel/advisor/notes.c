/*
 * Notes of busy objects: where a page was missed, or two CPUs met, the object's number is noted.
 *
 * So whoever looks finds those few that something happens to, however many objects there are. Each
 * CPU has some places of its own; an object has one of them, and the last one noted there stays.
 * Writing is one store, and none when the number stands there already. What is lost is noted again
 * if it matters.
 */
#include "inside.h"

enum { PLACES = 32 };

struct notes {
    k42_id places[PLACES];
} __attribute__((aligned(128)));

static struct notes *made;     /* by CPU */
static struct notes *in_use;   /* the same, or NULL while nobody looks */
static unsigned cpus, next_at; /* next_at: where the taker goes on */

k42_result notes_open(unsigned count) {
    made = heap_allocate_zeroed(count * sizeof *made);
    cpus = made ? count : 0;
    return made ? 0 : -ENOMEM;
}

void notes_enable(bool enabled) {
    __atomic_store_n(&in_use, enabled ? made : NULL, __ATOMIC_RELEASE);
}

void advisor_note(k42_id id) {
    struct notes *notes = __atomic_load_n(&in_use, __ATOMIC_ACQUIRE);
    uint32_t cpu = k42_this_cpu()->head.number;
    if (!notes || cpu >= cpus)
        return;
    k42_id *place = &notes[cpu].places[(id ^ id >> 5) % PLACES];
    if (__atomic_load_n(place, __ATOMIC_RELAXED) != id)
        __atomic_store_n(place, id, __ATOMIC_RELAXED);
}

void notes_take(unsigned count, void (*take)(k42_id id)) {
    for (unsigned looked = 0; looked < cpus * PLACES && count; looked++) {
        unsigned at = next_at++ % (cpus * PLACES);
        k42_id *place = &made[at / PLACES].places[at % PLACES];
        k42_id id = __atomic_load_n(place, __ATOMIC_RELAXED);
        if (!id)
            continue;
        __atomic_store_n(place, 0, __ATOMIC_RELAXED);
        take(id);
        count--;
    }
}
