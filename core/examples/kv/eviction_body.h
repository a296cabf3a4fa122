/*
 * What the classes of eviction policies have in common: the body of their roots, and the transfer
 * of state. A class supplies a layout, functions on shards; eviction_body.c makes the format of
 * them.
 */
#ifndef KV_EVICTION_BODY_H
#define KV_EVICTION_BODY_H

#include "eviction.h"

struct eviction_body;

typedef void (*eviction_take_fn)(void *context, const struct eviction_record *record);

struct eviction_layout {
    /* Records of one shard. Calls continue meanwhile. */
    size_t (*measure)(struct eviction_body *body, unsigned shard);
    /* Makes every shard empty, with room for that many records without allocating. */
    k42_result (*reserve)(struct eviction_body *body, size_t records_per_shard);
    /* Takes all records of one shard, allocating nothing. -ENOSPC. */
    k42_result (*import)(struct eviction_body *body, unsigned shard,
                         const struct eviction_record *records, size_t count);
    /* Visits the records of a shard, without its lock. */
    void (*each)(struct eviction_body *body, unsigned shard, eviction_take_fn take, void *context);
    /* Frees the shards' memory. */
    void (*discard)(struct eviction_body *body);
};

struct eviction_body {
    struct k42_root root;
    struct eviction rep;
    const struct eviction_layout *layout;
    struct eviction_parcel *parcel; /* of an import, until the policy ends or the next one */
    unsigned parts_left;            /* of that import */
};

/* For `fini`. */
void eviction_body_fini(struct eviction_body *body);

/* The canonical format, for a class's list of transfers. */
size_t eviction_body_measure(struct k42_root *from);
k42_result eviction_body_prepare(struct k42_root *to, struct k42_state *state);
k42_result eviction_body_export(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result eviction_body_import(struct k42_root *to, struct k42_state *state, unsigned part);
#define EVICTION_RECORDS_TRANSFER                                                                  \
    {                                                                                              \
        .format = &eviction_records_format, .measure = eviction_body_measure,                      \
        .prepare = eviction_body_prepare, .export_state = eviction_body_export,                    \
        .import_state = eviction_body_import,                                                      \
    }

#define EVICTION_BODY(self) k42_container(self, struct eviction_body, rep)

#endif
