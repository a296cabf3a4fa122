/*
 * Entries: one key with its value and deadline.
 *
 * An entry does not change once a table holds it; changing a value is exchanging the entry for
 * another. So whoever has found an entry may read it without a lock until it leaves its generation
 * (k42_exit), and what is taken out of the table is freed with kv_entry_release(), after every
 * thread that may have found it has left.
 *
 * Hashes are keyed with a number drawn at start, so that nobody outside can make keys collide. A
 * hash is computed once, travels with the entry, and orders every table: tables differ in how they
 * find an entry, not in the order in which they show them.
 */
#ifndef KV_ENTRY_H
#define KV_ENTRY_H

#include <k42/thread.h>

#include <stdlib.h>

struct kv_arena;

struct kv_entry {
    union {
        struct kv_entry *link[2]; /* the chain it is in, in the table that holds it */
        struct k42_defer defer;   /* once none does */
    };
    uint64_t hash;
    uint64_t deadline_ms;   /* wall clock; 0: lives until removed */
    struct kv_arena *arena; /* the memory it lies in; NULL: its own */
    uint32_t key_length, value_length;
    char bytes[]; /* the key, then the value */
};

struct kv_key {
    uint64_t hash;
    const char *bytes;
    size_t length;
};

enum {
    KV_SHARDS = 16,      /* parts of every table and eviction policy, by a hash's first bits */
    KV_SHARD_BITS = 4,   /* log2 of the above */
    KV_KEY_OVERHEAD = 64 /* what a key costs beside its entry: table slot and eviction record */
};

static inline unsigned kv_shard(uint64_t hash) {
    return (unsigned)(hash >> (64 - KV_SHARD_BITS));
}

/* Draws the key of all hashes. Once, before the first hash. */
void kv_hash_seed(uint64_t seed);
uint64_t kv_hash(const char *bytes, size_t length);

static inline struct kv_key kv_key_of(const char *bytes, size_t length) {
    return (struct kv_key){kv_hash(bytes, length), bytes, length};
}

static inline const char *kv_entry_value(const struct kv_entry *entry) {
    return entry->bytes + entry->key_length;
}

static inline struct kv_key kv_entry_key(const struct kv_entry *entry) {
    return (struct kv_key){entry->hash, entry->bytes, entry->key_length};
}

static inline size_t kv_entry_size(const struct kv_entry *entry) {
    return sizeof(*entry) + entry->key_length + entry->value_length;
}

int kv_entry_has_key(const struct kv_entry *entry, const struct kv_key *key);

/* A new entry whose value is two strings one after the other (either may be empty); NULL: no
 * memory. */
struct kv_entry *kv_entry_make(const struct kv_key *key, const char *value, size_t value_length,
                               const char *more, size_t more_length, uint64_t deadline_ms);

/* Frees an entry that nobody else can have seen, or ever will. */
void kv_entry_free(struct kv_entry *entry);

/* Frees an entry that was in a table, when nobody can be reading it any more. Any context. */
void kv_entry_release(struct kv_entry *entry);

/*
 * One piece of memory for copies of many entries, made before a transfer that may not allocate: as
 * many bytes for each shard. The arena goes when its maker has let go of it and the last entry in
 * it has been freed.
 */
struct kv_arena {
    uint64_t holders; /* entries in it, and its maker */
    size_t room;      /* bytes for each shard */
    size_t used[KV_SHARDS];
    uint8_t outgrown[KV_SHARDS];
    char bytes[] __attribute__((aligned(16)));
};

struct kv_arena *kv_arena_make(size_t room_per_shard);
void kv_arena_drop(struct kv_arena *arena, uint64_t holders);

/* Appends a copy of an entry to a shard of the arena, or marks that shard outgrown. */
void kv_arena_add(struct kv_arena *arena, unsigned shard, const struct kv_entry *entry);

/* The bytes that an entry takes in an arena. */
static inline size_t kv_arena_size(const struct kv_entry *entry) {
    return (kv_entry_size(entry) + 15) & ~(size_t)15;
}

#endif
