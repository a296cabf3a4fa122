/*
 * The interface `eviction`: its description, its format and how uses are counted. See eviction.h.
 */
#include "eviction.h"

static const char *const method_names[] = {
    "describe", "touched", "forgotten", "victim", "count",
};

const struct k42_interface eviction_interface = {
    .name = "eviction",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct eviction_ops),
    .method_names = method_names,
};
_Static_assert(sizeof(method_names) / sizeof(method_names[0]) ==
                   K42_METHOD_COUNT(struct eviction_ops),
               "every method has a name");

const struct k42_format eviction_records_format = {
    .name = "eviction.records",
    .version = 1,
    .cost = 100,
};

#define HALF_LIFE_NS 60000000000ull

uint64_t eviction_uses(const struct eviction_record *record, uint64_t now_ns) {
    uint64_t idle = now_ns > record->used_ns ? now_ns - record->used_ns : 0;
    uint64_t halvings = idle / HALF_LIFE_NS;
    return halvings > 63 ? 0 : record->uses >> halvings;
}

void eviction_count_use(struct eviction_record *record, uint64_t now_ns) {
    record->uses = eviction_uses(record, now_ns) + 1;
    if (now_ns > record->used_ns)
        record->used_ns = now_ns;
}

struct eviction_parcel *eviction_parcel_make(size_t room_per_shard) {
    struct eviction_parcel *parcel =
        malloc(sizeof(*parcel) + KV_SHARDS * room_per_shard * sizeof(parcel->records[0]));
    if (parcel)
        parcel->room = room_per_shard;
    return parcel;
}

void eviction_parcel_add(struct eviction_parcel *parcel, unsigned shard,
                         const struct eviction_record *record) {
    if (parcel->count[shard] == parcel->room)
        parcel->outgrown[shard] = 1;
    else
        parcel->records[shard * parcel->room + parcel->count[shard]++] = *record;
}
