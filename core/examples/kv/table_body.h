/*
 * What the classes of tables have in common: the body of their roots, and the transfer of state.
 *
 * A class supplies a layout, five functions on shards; table_body.c makes both formats from them.
 *
 * Ownership. A table frees its entries when it ends, if they are its own. Entries imported by
 * pointer become its own when the exporter has let go of them, and not before, so that of two
 * tables that know the same entries exactly one frees them, whichever way a transfer ends.
 */
#ifndef KV_TABLE_BODY_H
#define KV_TABLE_BODY_H

#include "table.h"

struct table_body;

struct table_layout {
    /* Entries of one shard, and the bytes they take in an arena. Calls continue meanwhile. */
    void (*measure)(struct table_body *body, unsigned shard, size_t *entries, size_t *bytes);
    /* Makes every shard empty, with room for that many entries without allocating. */
    k42_result (*reserve)(struct table_body *body, size_t entries_per_shard);
    /* Puts in an entry whose key is known to be new. Allocates nothing. -ENOSPC. */
    k42_result (*import)(struct table_body *body, struct kv_entry *entry);
    /* Visits the entries of a shard without its lock; the visitor may free them. */
    k42_result (*each)(struct table_body *body, unsigned shard, table_take_fn take, void *context);
    /* Frees the shards' own memory. */
    void (*discard)(struct table_body *body);
};

struct table_body {
    struct k42_root root;
    struct table rep;
    const struct table_layout *layout;
    struct kv_arena *arena; /* of an import by value, until the table ends */
    int owns;               /* the entries are this table's to free */
    unsigned link;          /* which of an entry's links this table chains by */
};

/* For `init`: sets the body up. A class that is to import reserves later. */
void table_body_init(struct table_body *body, const struct table_layout *layout);

/* For `fini`: frees entries, if own, and everything else. */
void table_body_fini(struct table_body *body);

/* The formats every table does. */
extern const struct k42_transfer table_body_transfers[];

/* Parts of an import that run in parallel all write it, to the same value. */
static inline unsigned table_link(const struct table_body *body) {
    return __atomic_load_n(&body->link, __ATOMIC_RELAXED);
}

#define TABLE_BODY(self) k42_container(self, struct table_body, rep)

#endif
