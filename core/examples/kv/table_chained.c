/*
 * Table, chained: buckets of entries linked to each other, growing a few buckets at a time.
 *
 * For tables that grow while they serve: no call ever pays for moving more than a few buckets.
 * Costs a cache miss for each entry of a chain, of which there is one on average.
 *
 * A bucket is a range of hashes, and its chain is sorted. While a shard grows it has two arrays;
 * `older` is emptied from its first bucket on, and a hash lives in the newer one exactly when its
 * bucket of the older one has been moved: one place for each hash, at any time.
 *
 * Locking: shard->lock, leaf, around one bucket's work. Arrays are allocated and freed outside it.
 * Formats: those of table_body.c.
 * Fails:   never: a shard that finds no memory to grow serves on with longer chains.
 */
#include "table_body.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <errno.h>
#include <stdio.h>

enum {
    FIRST_BITS = 6,
    MOST_BITS = 32,
    MOVED_PER_STORE = 4,  /* so that a shard has moved long before it is full again */
    WALKED_BUCKETS = 1024 /* the most that one step of a walk looks at */
};

struct chained_shard {
    struct k42_lock lock;
    unsigned bits, older_bits;
    struct kv_entry **buckets;
    struct kv_entry **older; /* being emptied into buckets; NULL: not growing */
    size_t moved;            /* buckets of `older` that are empty for good */
    size_t count;            /* entries; written under the lock, read without */
    size_t bytes;            /* what they take in an arena; likewise */
} __attribute__((aligned(64)));

struct table_chained {
    struct table_body body;
    char *memory; /* what the shards, aligned to cache lines, lie in */
    struct chained_shard *shards;
};

static struct table_chained *chained_of(struct table_body *body) {
    return k42_container(body, struct table_chained, body);
}

static struct chained_shard *shard_of(struct table *self, uint64_t hash) {
    return &chained_of(TABLE_BODY(self))->shards[kv_shard(hash)];
}

static size_t bucket_index(uint64_t hash, unsigned bits) {
    return (size_t)((hash << KV_SHARD_BITS) >> (64 - bits));
}

/* Where a hash lives now, and how many first bits its bucket shares. */
static struct kv_entry **find_bucket(struct chained_shard *shard, uint64_t hash, unsigned *bits) {
    if (shard->older && bucket_index(hash, shard->older_bits) >= shard->moved) {
        *bits = shard->older_bits;
        return &shard->older[bucket_index(hash, shard->older_bits)];
    }
    *bits = shard->bits;
    return &shard->buckets[bucket_index(hash, shard->bits)];
}

/* The place in a sorted chain where the key's entry is, or would be put in. */
static struct kv_entry **find_place(struct chained_shard *shard, const struct kv_key *key,
                                    unsigned link) {
    unsigned bits;
    struct kv_entry **place = find_bucket(shard, key->hash, &bits);
    while (*place && ((*place)->hash < key->hash ||
                      ((*place)->hash == key->hash && !kv_entry_has_key(*place, key))))
        place = &(*place)->link[link];
    return place;
}

static struct kv_entry *entry_at(struct kv_entry **place, const struct kv_key *key) {
    return *place && kv_entry_has_key(*place, key) ? *place : NULL;
}

/* ---- growth ---- */

/* Moves the next bucket. Its chain is sorted, so each new chain is a stretch of it. */
static void move_bucket(struct chained_shard *shard, unsigned link) {
    struct kv_entry *entry = shard->older[shard->moved];
    shard->older[shard->moved++] = NULL;
    while (entry) {
        size_t index = bucket_index(entry->hash, shard->bits);
        struct kv_entry **tail = &shard->buckets[index];
        while (entry && bucket_index(entry->hash, shard->bits) == index) {
            *tail = entry;
            tail = &entry->link[link];
            entry = entry->link[link];
        }
        *tail = NULL;
    }
}

/* Moves some buckets. Returns the older array when it has become empty, to be freed. */
static struct kv_entry **move_some(struct chained_shard *shard, unsigned link) {
    if (!shard->older)
        return NULL;
    size_t length = (size_t)1 << shard->older_bits;
    for (unsigned n = 0; n < MOVED_PER_STORE && shard->moved < length; n++)
        move_bucket(shard, link);
    if (shard->moved < length)
        return NULL;
    struct kv_entry **older = shard->older;
    shard->older = NULL;
    return older;
}

static int is_full(const struct chained_shard *shard) {
    return !shard->older && shard->bits < MOST_BITS && shard->count > (size_t)1 << shard->bits;
}

/* Begins to grow a shard, unless another thread has by the time the memory is there. */
static void begin_growth(struct chained_shard *shard, unsigned bits) {
    struct kv_entry **larger = calloc((size_t)1 << (bits + 1), sizeof(*larger));
    if (!larger)
        return;
    k42_lock(&shard->lock);
    int begin = is_full(shard) && shard->bits == bits;
    if (begin) {
        shard->older = shard->buckets;
        shard->older_bits = shard->bits;
        shard->moved = 0;
        shard->buckets = larger;
        shard->bits++;
    }
    k42_unlock(&shard->lock);
    if (!begin)
        free(larger);
}

/* ---- methods ---- */

static k42_result chained_lookup(struct table *self, const struct kv_key *key,
                                 struct kv_entry **entry) {
    struct chained_shard *shard = shard_of(self, key->hash);
    k42_lock(&shard->lock);
    *entry = entry_at(find_place(shard, key, table_link(TABLE_BODY(self))), key);
    k42_unlock(&shard->lock);
    return *entry ? 0 : -ENOENT;
}

static k42_result chained_lookup_hash(struct table *self, uint64_t hash, struct kv_entry **entry) {
    struct chained_shard *shard = shard_of(self, hash);
    unsigned bits, link = table_link(TABLE_BODY(self));
    k42_lock(&shard->lock);
    struct kv_entry *found = *find_bucket(shard, hash, &bits);
    while (found && found->hash < hash)
        found = found->link[link];
    *entry = found && found->hash == hash ? found : NULL;
    k42_unlock(&shard->lock);
    return *entry ? 0 : -ENOENT;
}

/* Puts `entry` (or, with NULL, nothing) where `present` is. Under the lock. */
static void put(struct chained_shard *shard, struct kv_entry **place, struct kv_entry *present,
                struct kv_entry *entry, unsigned link) {
    struct kv_entry *following = present ? present->link[link] : *place;
    if (entry)
        entry->link[link] = following;
    *place = entry ? entry : following;
    size_t count = shard->count + (entry != NULL) - (present != NULL);
    size_t bytes =
        shard->bytes + (entry ? kv_arena_size(entry) : 0) - (present ? kv_arena_size(present) : 0);
    __atomic_store_n(&shard->count, count, __ATOMIC_RELAXED);
    __atomic_store_n(&shard->bytes, bytes, __ATOMIC_RELAXED);
}

/* The two ways of changing a table differ in what they ask of the entry that is there. */
static k42_result change(struct table *self, const struct kv_key *key, struct kv_entry *wanted,
                         struct kv_entry **present, int must_match) {
    struct chained_shard *shard = shard_of(self, key->hash);
    unsigned link = table_link(TABLE_BODY(self));
    k42_lock(&shard->lock);
    struct kv_entry **place = find_place(shard, key, link);
    struct kv_entry *found = entry_at(place, key);
    if (must_match && found != *present) {
        k42_unlock(&shard->lock);
        return -EAGAIN;
    }
    if (wanted || found)
        put(shard, place, found, wanted, link);
    struct kv_entry **emptied = move_some(shard, link);
    int full = is_full(shard);
    unsigned bits = shard->bits;
    k42_unlock(&shard->lock);
    free(emptied);
    if (full)
        begin_growth(shard, bits);
    *present = found;
    return 0;
}

static k42_result chained_store(struct table *self, struct kv_entry *entry,
                                struct kv_entry **replaced) {
    struct kv_key key = kv_entry_key(entry);
    return change(self, &key, entry, replaced, 0);
}

static k42_result chained_exchange(struct table *self, const struct kv_key *key,
                                   struct kv_entry *expected, struct kv_entry *wanted) {
    return change(self, key, wanted, &expected, 1);
}

/* Shows what one shard has from *cursor on, until there is no room or enough has been looked at. */
static size_t walk_shard(struct chained_shard *shard, unsigned link, uint64_t *cursor,
                         struct kv_entry **entries, size_t room, unsigned *looked) {
    unsigned number = kv_shard(*cursor), bits;
    size_t shown = 0;
    while (kv_shard(*cursor) == number && *looked < WALKED_BUCKETS) {
        struct kv_entry *entry = *find_bucket(shard, *cursor, &bits);
        uint64_t width = (uint64_t)1 << (64 - KV_SHARD_BITS - bits);
        for (; entry; entry = entry->link[link]) {
            if (entry->hash < *cursor)
                continue;
            if (shown == room) {
                *cursor = entry->hash;
                return shown;
            }
            entries[shown++] = entry;
        }
        *cursor = (*cursor & ~(width - 1)) + width;
        ++*looked;
        if (*cursor == 0)
            break;
    }
    return shown;
}

static k42_result chained_walk(struct table *self, uint64_t *cursor, struct kv_entry **entries,
                               size_t room) {
    size_t shown = 0;
    unsigned looked = 0;
    do {
        struct chained_shard *shard = shard_of(self, *cursor);
        k42_lock(&shard->lock);
        shown += walk_shard(shard, table_link(TABLE_BODY(self)), cursor, entries + shown,
                            room - shown, &looked);
        k42_unlock(&shard->lock);
    } while (*cursor != 0 && shown < room && looked < WALKED_BUCKETS);
    return (k42_result)shown;
}

static k42_result chained_count(struct table *self) {
    size_t count = 0;
    for (unsigned n = 0; n < KV_SHARDS; n++)
        count += __atomic_load_n(&chained_of(TABLE_BODY(self))->shards[n].count, __ATOMIC_RELAXED);
    return (k42_result)count;
}

static k42_result chained_describe(struct k42_object *self, char *text, size_t size) {
    struct table *table = (struct table *)(void *)self;
    return snprintf(text, size, "chained hash table of %ld entries in %d shards",
                    chained_count(table), KV_SHARDS);
}

/* ---- layout, for transfers ---- */

static void chained_measure(struct table_body *body, unsigned number, size_t *entries,
                            size_t *bytes) {
    struct chained_shard *shard = &chained_of(body)->shards[number];
    *entries = __atomic_load_n(&shard->count, __ATOMIC_RELAXED);
    *bytes = __atomic_load_n(&shard->bytes, __ATOMIC_RELAXED);
}

static void discard_shards(struct table_chained *table) {
    for (unsigned n = 0; table->shards && n < KV_SHARDS; n++) {
        free(table->shards[n].buckets);
        free(table->shards[n].older);
    }
    free(table->memory);
    table->memory = NULL;
    table->shards = NULL;
}

static void chained_discard(struct table_body *body) {
    discard_shards(chained_of(body));
}

static k42_result chained_reserve(struct table_body *body, size_t entries_per_shard) {
    struct table_chained *table = chained_of(body);
    unsigned bits = FIRST_BITS;
    while (bits < MOST_BITS && (size_t)1 << bits < entries_per_shard)
        bits++;
    discard_shards(table);
    table->memory = calloc(KV_SHARDS + 1, sizeof(struct chained_shard));
    if (!table->memory)
        return -ENOMEM;
    table->shards = (struct chained_shard *)(((uintptr_t)table->memory + 63) & ~(uintptr_t)63);
    for (unsigned n = 0; n < KV_SHARDS; n++) {
        table->shards[n].bits = bits;
        table->shards[n].buckets = calloc((size_t)1 << bits, sizeof(struct kv_entry *));
        if (!table->shards[n].buckets) {
            discard_shards(table);
            return -ENOMEM;
        }
    }
    return 0;
}

static k42_result chained_import(struct table_body *body, struct kv_entry *entry) {
    struct chained_shard *shard = &chained_of(body)->shards[kv_shard(entry->hash)];
    struct kv_key key = kv_entry_key(entry);
    put(shard, find_place(shard, &key, table_link(body)), NULL, entry, table_link(body));
    return 0;
}

static k42_result each_in(struct kv_entry **buckets, unsigned bits, unsigned link,
                          table_take_fn take, void *context) {
    k42_result result = 0;
    for (size_t n = 0; buckets && n < (size_t)1 << bits; n++) {
        struct kv_entry *entry = buckets[n], *following;
        for (; entry && result >= 0; entry = following) {
            following = entry->link[link];
            result = take(context, entry);
        }
    }
    return result;
}

static k42_result chained_each(struct table_body *body, unsigned number, table_take_fn take,
                               void *context) {
    struct table_chained *table = chained_of(body);
    if (!table->shards)
        return 0;
    struct chained_shard *shard = &table->shards[number];
    k42_result result = each_in(shard->buckets, shard->bits, table_link(body), take, context);
    if (result < 0)
        return result;
    return each_in(shard->older, shard->older_bits, table_link(body), take, context);
}

static const struct table_layout chained_layout = {
    .measure = chained_measure,
    .reserve = chained_reserve,
    .import = chained_import,
    .each = chained_each,
    .discard = chained_discard,
};

static k42_result chained_init(struct k42_root *root, const void *args) {
    struct table_body *body = k42_container(root, struct table_body, root);
    (void)args;
    table_body_init(body, &chained_layout);
    return chained_reserve(body, 0);
}

static void chained_fini(struct k42_root *root) {
    table_body_fini(k42_container(root, struct table_body, root));
}

static const struct table_ops chained_ops = {
    .object.describe = chained_describe,
    .lookup = chained_lookup,
    .lookup_hash = chained_lookup_hash,
    .store = chained_store,
    .exchange = chained_exchange,
    .walk = chained_walk,
    .count = chained_count,
};

K42_CLASS(table_chained) = {
    .name = "table.chained",
    .interface = &table_interface,
    .version = 1,
    .traits = "growth=incremental",
    .kind = &k42_single,
    .root_size = sizeof(struct table_chained),
    .rep_offset = offsetof(struct table_chained, body.rep),
    .ops = &chained_ops,
    .init = chained_init,
    .fini = chained_fini,
    .transfers = table_body_transfers,
};
