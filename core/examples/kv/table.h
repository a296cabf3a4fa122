/*
 * The interface `table`: keys to entries.
 *
 * A table holds at most one entry for each key. It knows nothing of deadlines, of memory limits or
 * of which entry deserves to stay; the store (store.h) brings tables and eviction policies
 * together.
 *
 * Existence: an entry found may be read until the caller leaves its generation. An entry taken out
 * (replaced, exchanged) is the caller's, who frees it with kv_entry_release().
 *
 * Order: tables show entries in the order of their hashes, and a cursor is a position in that
 * order. So a cursor means the same in every class, before and after growth and across swaps: what
 * is in the table from the first step of a walk to its last is shown exactly once.
 *
 * Methods do not wait and may allocate, except where they say that they do not.
 */
#ifndef KV_TABLE_H
#define KV_TABLE_H

#include <k42/object.h>

#include "entry.h"

struct table;

struct table_ops {
    struct k42_object_ops object;

    /* Finds the entry of a key. Errors: -ENOENT. */
    K42_METHOD(lookup)
    (struct table *self, K42_LOCAL const struct kv_key *key, K42_LOCAL struct kv_entry **entry);

    /* Finds some entry with this hash. Errors: -ENOENT. */
    K42_METHOD(lookup_hash)(struct table *self, uint64_t hash, K42_LOCAL struct kv_entry **entry);

    /*
     * Puts an entry in, replacing the one of the same key, which is handed back (or NULL).
     * Errors: -ENOMEM; nothing has changed and the entry is still the caller's.
     */
    K42_METHOD(store)
    (struct table *self, K42_LOCAL struct kv_entry *entry, K42_LOCAL struct kv_entry **replaced);

    /*
     * Puts `wanted` (NULL: nothing) in the place of `expected` (NULL: nothing), if that is what the
     * key has. Everything that reads before it writes is built from this. Errors: -EAGAIN when the
     * key has something else; -ENOMEM.
     */
    K42_METHOD(exchange)
    (struct table *self, K42_LOCAL const struct kv_key *key, K42_LOCAL struct kv_entry *expected,
     K42_LOCAL struct kv_entry *wanted);

    /*
     * Shows entries whose hash is *cursor or above, in order, at most `room` (64 or more) of them,
     * and moves the cursor behind them: to 0 after the last. Looks at a bounded part of the table,
     * so it may show none and still not be at the end. Returns how many.
     */
    K42_METHOD(walk)
    (struct table *self, K42_INOUT uint64_t *cursor, K42_LOCAL struct kv_entry **entries,
     size_t room);

    /* How many entries there are. */
    K42_METHOD(count)(struct table *self);
};

struct table {
    const struct table_ops *ops;
};
K42_DECLARE_REF(table);
extern const struct k42_interface table_interface;

/* ---- formats of a table's state, for classes ----------------------------------------------------
 *
 * Both have KV_SHARDS parts, part p being the entries of shard p, and both measure the fullest
 * shard, so that an importer that makes room for as much in each has room for all.
 */

/*
 * By pointer: the entries themselves pass from one table to the other. Measured in entries.
 *   word[TABLE_EACH]  the exporter's table_each_fn, put there by export_state
 *   word[TABLE_LINK]  which of an entry's two links the exporter chains by; the importer must use
 *                     the other one, since the exporter goes on if the import fails
 *   word[TABLE_OWNS]  the address of the importer's `int`, put there by prepare: set to 1 when the
 *                     entries have become its own
 */
extern const struct k42_format table_entries_format;
enum { TABLE_EACH, TABLE_LINK, TABLE_OWNS };
typedef k42_result (*table_take_fn)(void *context, struct kv_entry *entry);
typedef k42_result (*table_each_fn)(struct k42_root *from, unsigned part, table_take_fn take,
                                    void *context);

/*
 * Canonical, by value: copies of all entries, in an arena. Measured in bytes as kv_arena_size()
 * counts them.
 *   word[TABLE_ARENA]  the importer's struct kv_arena, put there by prepare
 */
extern const struct k42_format table_records_format;
enum { TABLE_ARENA };

#endif
