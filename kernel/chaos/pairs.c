/*
 * Pairs of classes of one interface, and whose turn it is.
 *
 * Owner: the storm's thread makes and counts them; they stay for ever, so that anybody may walk
 * them. Their number is that of pairs of classes, which grows with nothing but loaded classes.
 * Fails: without memory a pair is left out until there is some.
 */
#include "pairs.h"

#include "runtime.h"

static struct chaos_pair *pairs;

static struct chaos_pair *find(const char *from, const char *to) {
    struct chaos_pair *pair = pairs;
    while (pair && !(k42_text_equal(pair->from, from) && k42_text_equal(pair->to, to)))
        pair = pair->next;
    return pair;
}

static struct chaos_pair *make(const char *from, const char *to) {
    struct chaos_pair *pair = k42_platform_alloc(sizeof *pair);
    if (!pair)
        return NULL;
    k42_copy_text(pair->from, sizeof pair->from, from);
    k42_copy_text(pair->to, sizeof pair->to, to);
    pair->next = pairs;
    __atomic_store_n(&pairs, pair, __ATOMIC_RELEASE);
    return pair;
}

struct choice {
    const struct k42_class *from;
    struct chaos_pair *least;
};

static uint64_t tries(const struct chaos_pair *pair) {
    return pair->swapped + pair->aborted;
}

static long consider(const struct k42_class_info *info, void *context) {
    struct choice *choice = context;
    if (!info->current || !k42_class_can_become(choice->from, info->class_))
        return 0;
    const char *from = choice->from->name, *to = info->class_->name;
    struct chaos_pair *pair = find(from, to);
    if (!pair)
        pair = make(from, to);
    if (pair && (!choice->least || tries(pair) < tries(choice->least)))
        choice->least = pair;
    return 0;
}

struct chaos_pair *chaos_next(const struct k42_class *from) {
    struct choice choice = {.from = from};
    k42_each_class(consider, &choice);
    return choice.least;
}

void chaos_each_pair(void (*visit)(const struct chaos_pair *pair, void *context), void *context) {
    struct chaos_pair *pair = __atomic_load_n(&pairs, __ATOMIC_ACQUIRE);
    for (; pair; pair = pair->next)
        visit(pair, context);
}
