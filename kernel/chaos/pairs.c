/*
 * Pairs of classes of one interface, and whose turn it is.
 *
 * Owner: the storm's thread makes and counts them; they stay for ever, so that anybody may walk
 * them. Their number is that of pairs of classes, which grows with nothing but loaded classes.
 * Locking: the registry's, while its classes are walked; nothing is called or allocated that waits.
 * Fails: without memory a pair is left out until there is some.
 */
#include "pairs.h"

#include "runtime.h"

/* All pairs of one class, so that finding one is a walk over its own alternatives. */
struct origin {
    struct origin *next;
    struct chaos_pair *pairs;
    char name[48];
};

static struct origin *origins;

static struct origin *origin_of(const char *name) {
    struct origin *origin = origins;
    while (origin && !k42_text_equal(origin->name, name))
        origin = origin->next;
    if (origin || !(origin = k42_platform_alloc(sizeof *origin)))
        return origin;
    k42_copy_text(origin->name, sizeof origin->name, name);
    origin->next = origins;
    __atomic_store_n(&origins, origin, __ATOMIC_RELEASE);
    return origin;
}

static struct chaos_pair *pair_of(struct origin *origin, const char *to) {
    struct chaos_pair *pair = origin->pairs;
    while (pair && !k42_text_equal(pair->to, to))
        pair = pair->next;
    if (pair || !(pair = k42_platform_alloc(sizeof *pair)))
        return pair;
    k42_copy_text(pair->from, sizeof pair->from, origin->name);
    k42_copy_text(pair->to, sizeof pair->to, to);
    pair->next = origin->pairs;
    __atomic_store_n(&origin->pairs, pair, __ATOMIC_RELEASE);
    return pair;
}

static uint64_t tries(const struct chaos_pair *pair) {
    return pair->swapped + pair->aborted;
}

bool chaos_meets_calls(const struct k42_class *class_) {
    const struct origin *origin = origin_of(class_->name);
    uint64_t swapped = 0, with_calls = 0;
    for (const struct chaos_pair *pair = origin ? origin->pairs : NULL; pair; pair = pair->next) {
        swapped += pair->swapped;
        with_calls += pair->with_calls;
    }
    return 8 * with_calls >= swapped;
}

uint64_t chaos_least(const struct k42_class *class_) {
    const struct origin *origin = origin_of(class_->name);
    uint64_t least = UINT64_MAX;
    for (const struct chaos_pair *pair = origin ? origin->pairs : NULL; pair; pair = pair->next)
        if (tries(pair) < least)
            least = tries(pair);
    return least == UINT64_MAX ? 0 : least;
}

/* This class or the next that is made now and that an object of `from` may become, NULL: of any.
 * The registry is locked. */
static struct k42_class_record *next_record(struct k42_class_record *record,
                                            const struct k42_class *from) {
    while (record &&
           (record->hidden || k42_load_acquire(&record->family->current) != record->class_ ||
            (from && !k42_class_can_become(from, record->class_))))
        record = record->next;
    return record;
}

void chaos_list_pairs(void) {
    k42_lock(&k42_registry_lock);
    struct k42_class_record *from = NULL, *to = NULL;
    for (from = k42_class_records; (from = next_record(from, NULL)); from = from->next) {
        struct origin *origin = NULL;
        for (to = k42_class_records; (to = next_record(to, from->class_)); to = to->next)
            if ((origin = origin_of(from->class_->name)))
                (void)pair_of(origin, to->class_->name);
    }
    k42_unlock(&k42_registry_lock);
}

struct chaos_pair *chaos_next(const struct k42_class *from, struct k42_class **to) {
    struct origin *origin = origin_of(from->name);
    struct chaos_pair *least = NULL;
    if (!origin)
        return NULL;
    k42_lock(&k42_registry_lock);
    struct k42_class_record *record = k42_class_records;
    for (; (record = next_record(record, from)); record = record->next) {
        struct chaos_pair *pair = pair_of(origin, record->class_->name);
        if (!pair || (least && tries(pair) >= tries(least)))
            continue;
        least = pair;
        *to = record->class_;
    }
    k42_unlock(&k42_registry_lock);
    return least;
}

void chaos_each_pair(void (*visit)(const struct chaos_pair *pair, void *context), void *context) {
    for (struct origin *origin = __atomic_load_n(&origins, __ATOMIC_ACQUIRE); origin;
         origin = origin->next)
        for (struct chaos_pair *pair = __atomic_load_n(&origin->pairs, __ATOMIC_ACQUIRE); pair;
             pair = pair->next)
            visit(pair, context);
}
