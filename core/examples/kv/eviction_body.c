/*
 * Transfer of state between eviction policies of any two classes. See eviction_body.h.
 *
 * Parts run in parallel, one shard each, and share only the count of parts left; whoever imports
 * the last one frees the parcel. Measuring happens while calls continue, so a quarter is added; who
 * runs out all the same says -ENOSPC and is prepared anew.
 */
#include "eviction_body.h"

#include <errno.h>
#include <string.h>

void eviction_body_fini(struct eviction_body *body) {
    free(body->parcel);
    body->parcel = NULL;
    body->layout->discard(body);
}

static struct eviction_body *body_of(struct k42_root *root) {
    return k42_container(root, struct eviction_body, root);
}

size_t eviction_body_measure(struct k42_root *from) {
    size_t most = 0;
    for (unsigned shard = 0; shard < KV_SHARDS; shard++) {
        size_t records = body_of(from)->layout->measure(body_of(from), shard);
        most = records > most ? records : most;
    }
    return most;
}

k42_result eviction_body_prepare(struct k42_root *to, struct k42_state *state) {
    struct eviction_body *body = body_of(to);
    size_t room = state->measured + state->measured / 4 + 256;
    free(body->parcel);
    body->parcel = eviction_parcel_make(room);
    if (!body->parcel)
        return -ENOMEM;
    body->parts_left = KV_SHARDS;
    state->parts = KV_SHARDS;
    state->word[EVICTION_PARCEL] = (uintptr_t)body->parcel;
    return body->layout->reserve(body, room);
}

struct packing {
    struct eviction_parcel *parcel;
    unsigned shard;
};

static void pack_record(void *context, const struct eviction_record *record) {
    struct packing *packing = context;
    eviction_parcel_add(packing->parcel, packing->shard, record);
}

k42_result eviction_body_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    struct packing packing = {(struct eviction_parcel *)state->word[EVICTION_PARCEL], part};
    packing.parcel->count[part] = 0;
    packing.parcel->outgrown[part] = 0;
    body_of(from)->layout->each(body_of(from), part, pack_record, &packing);
    return 0;
}

k42_result eviction_body_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct eviction_body *body = body_of(to);
    struct eviction_parcel *parcel = (struct eviction_parcel *)state->word[EVICTION_PARCEL];
    if (parcel->outgrown[part])
        return -ENOSPC;
    k42_result result = body->layout->import(body, part, parcel->records + part * parcel->room,
                                             parcel->count[part]);
    if (result == 0 && __atomic_sub_fetch(&body->parts_left, 1, __ATOMIC_ACQ_REL) == 0) {
        body->parcel = NULL;
        free(parcel);
    }
    return result;
}
