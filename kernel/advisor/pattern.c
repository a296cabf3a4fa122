/*
 * In which pattern pages come to a PM (pattern.h).
 */
#include "pattern.h"

enum { FAR = 8, NEAR = 2, BACK_PAGES = 128 }; /* BACK_PAGES: more than is read ahead */

#define HASH_FACTOR 0x9e3779b97f4a7c15ul

static uint64_t hash_of(uint32_t cache, uint64_t index) {
    uint64_t hash = (index ^ (uint64_t)cache << 40) * HASH_FACTOR;
    hash = (hash ^ hash >> 32) * HASH_FACTOR;
    return hash ^ hash >> 29;
}

static void count(uint64_t *of) {
    __atomic_add_fetch(of, 1, __ATOMIC_RELAXED);
}

void pattern_begin(struct pattern *pattern, uint64_t frames) {
    uint64_t pages = frames * FAR;
    pattern->frames = frames ? frames : 1;
    for (pattern->passed_by = 0; pages > PATTERN_PLACES; pages /= 2)
        pattern->passed_by = pattern->passed_by * 2 + 1;
}

/* Another cache's page says nothing: two may take turns. */
static void see_direction(struct pattern *pattern, uint32_t cache, uint64_t index) {
    uint64_t now = (uint64_t)cache << 32 | (index & UINT32_MAX);
    uint64_t last = __atomic_exchange_n(&pattern->last, now, __ATOMIC_RELAXED);
    if (last >> 32 == cache && (last & UINT32_MAX) > (index & UINT32_MAX) + BACK_PAGES)
        count(&pattern->counts.went_back);
}

/* Bits of the hash: the lowest 16 choose which are looked at, the next its place, the highest 32
 * are in the word, with the time. */
void pattern_came(struct pattern *pattern, uint32_t cache, uint64_t index) {
    uint64_t hash = hash_of(cache, index);
    uint64_t now = __atomic_add_fetch(&pattern->counts.came, 1, __ATOMIC_RELAXED);
    see_direction(pattern, cache, index);
    if (hash & pattern->passed_by)
        return;
    uint64_t *place = &pattern->places[(hash >> 16) % PATTERN_PLACES];
    uint64_t was =
        __atomic_exchange_n(place, hash >> 32 << 32 | (now & UINT32_MAX), __ATOMIC_RELAXED);
    uint32_t ago = (uint32_t)now - (uint32_t)was;
    count(&pattern->counts.looked_at);
    if (!was || was >> 32 != hash >> 32 || ago > FAR * pattern->frames)
        return;
    count(&pattern->counts.again);
    if (ago <= NEAR * pattern->frames)
        count(&pattern->counts.soon);
}

enum pattern_kind pattern_of(const struct pattern_counts *counts) {
    if (counts->again * 4 >= counts->looked_at && counts->again &&
        pattern_is_ordered(counts->came, counts->went_back))
        return PATTERN_LOOP;
    if (counts->soon * 8 >= counts->looked_at && counts->soon &&
        !pattern_is_ordered(counts->came, counts->went_back))
        return PATTERN_FREQUENT;
    return PATTERN_NONE;
}
