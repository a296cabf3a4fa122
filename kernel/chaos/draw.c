/*
 * Draws: of the class that has become something least often, whatever the number of its objects, or
 * those that are being called.
 *
 * One walk over all entries finds the classes that have objects, and draws some of each: any, and
 * those that were called since they were made or last swapped, each as likely as the others. What
 * is drawn is used up within the same active section. Besides, objects that met calls during their
 * last swaps are remembered, since they will meet some again: a swap that nobody notices proves
 * little.
 *
 * Owner: the storm's thread. Locking: none, since the walker is active: a root it has seen live
 * stays readable. Fails: more than CLASSES classes with objects are left for another time.
 */
#include "draw.h"

#include "entry.h"
#include "pairs.h"

enum { CLASSES = 256, BUCKETS = 512, REMEMBERED = 256, DEPTH = 4 };

struct drawn {
    uint64_t seen;
    unsigned count;
    k42_id ids[DEPTH];
};

/* A class with objects. */
struct target {
    struct k42_class *class_;
    struct drawn any, used;
    uint64_t least; /* chaos_least(), and what has been drawn since */
};

static struct {
    uint64_t random;
    struct target targets[CLASSES];
    uint16_t buckets[BUCKETS]; /* 1 + the number of a target */
    unsigned count, turn;
    k42_id busy[REMEMBERED];
    unsigned busy_count;
} draws;

void draw_seed(uint64_t seed) {
    draws.random = seed * 0x9e3779b97f4a7c15ul | 1;
    draws.busy_count = draws.turn = 0;
}

uint64_t draw_random(void) {
    draws.random ^= draws.random << 13;
    draws.random ^= draws.random >> 7;
    draws.random ^= draws.random << 17;
    return draws.random;
}

/* The class of an object that may be swapped now, or NULL. */
static struct k42_class *class_of(struct k42_entry *entry, uint64_t state) {
    bool free = k42_entry_usable(state) && !(state & K42_ENTRY_SWAPPING);
    return free ? k42_entry_bottom(entry)->class_ : NULL;
}

static struct target *target_of(struct k42_class *class_) {
    unsigned bucket = (unsigned)((uintptr_t)class_ >> 4) % BUCKETS;
    for (; draws.buckets[bucket]; bucket = (bucket + 1) % BUCKETS)
        if (draws.targets[draws.buckets[bucket] - 1].class_ == class_)
            return &draws.targets[draws.buckets[bucket] - 1];
    if (draws.count == CLASSES)
        return NULL;
    struct target *target = &draws.targets[draws.count++];
    *target = (struct target){.class_ = class_};
    draws.buckets[bucket] = (uint16_t)draws.count;
    return target;
}

static void consider(struct drawn *drawn, k42_id id) {
    uint64_t at = drawn->count < DEPTH ? drawn->count++ : draw_random() % (drawn->seen + 1);
    drawn->seen++;
    if (at < DEPTH)
        drawn->ids[at] = id;
}

void draw_all(void) {
    struct target *target = NULL;
    draws.count = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        draws.buckets[i] = 0;
    k42_id end = k42_pages_used() * K42_SLOTS_PER_PAGE;
    for (k42_id id = K42_SLOTS_PER_PAGE; id < end; id = k42_id_after(id)) {
        struct k42_entry *entry = &k42_entries[id];
        uint64_t state = k42_load_acquire(&entry->state);
        struct k42_class *class_ = state & K42_ENTRY_LIVE ? class_of(entry, state) : NULL;
        if (!class_)
            continue;
        if (!target || target->class_ != class_)
            target = target_of(class_);
        if (!target)
            continue;
        consider(&target->any, id);
        if (k42_entry_touched(state))
            consider(&target->used, id);
    }
    for (unsigned i = 0; i < draws.count; i++)
        draws.targets[i].least = chaos_least(draws.targets[i].class_);
}

void draw_note_busy(k42_id id) {
    unsigned at =
        draws.busy_count < REMEMBERED ? draws.busy_count++ : (unsigned)(draw_random() % REMEMBERED);
    draws.busy[at] = id;
}

/* One that is remembered, which it is then no more: its swap will tell whether it is to be. */
static bool next_busy(k42_id *id, struct k42_class **class_) {
    while (draws.busy_count) {
        unsigned at = (unsigned)(draw_random() % draws.busy_count);
        *id = draws.busy[at];
        draws.busy[at] = draws.busy[--draws.busy_count];
        *class_ = class_of(&k42_entries[*id], k42_load_acquire(&k42_entries[*id].state));
        if (*class_)
            return true;
    }
    return false;
}

/* Of those that were called, by classes in turn. */
static bool next_used(k42_id *id, struct k42_class **class_) {
    for (unsigned i = 0; i < draws.count; i++) {
        struct target *target = &draws.targets[draws.turn++ % draws.count];
        if (!target->used.count || !chaos_meets_calls(target->class_))
            continue;
        *id = target->used.ids[--target->used.count];
        *class_ = target->class_;
        return true;
    }
    return false;
}

static bool next_rare(k42_id *id, struct k42_class **class_) {
    struct target *rarest = NULL;
    for (unsigned i = 0; i < draws.count; i++) {
        struct target *target = &draws.targets[i];
        if (target->any.count && (!rarest || target->least < rarest->least))
            rarest = target;
    }
    if (!rarest)
        return false;
    rarest->least++;
    *id = rarest->any.ids[--rarest->any.count];
    *class_ = rarest->class_;
    return true;
}

bool draw_next(bool busy, k42_id *id, struct k42_class **class_) {
    return (busy && (next_busy(id, class_) || next_used(id, class_))) || next_rare(id, class_);
}

bool draw_of(const char *class_name, k42_id *id) {
    for (unsigned i = 0; i < draws.count; i++) {
        struct target *target = &draws.targets[i];
        if (!target->used.count || !k42_text_equal(target->class_->name, class_name))
            continue;
        *id = target->used.ids[--target->used.count];
        return true;
    }
    return false;
}
