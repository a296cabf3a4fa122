/*
 * Entries, their hashes, and arenas of copies. See entry.h.
 *
 * An arena's count of holders is the only thing here that threads share; whoever takes it to zero
 * frees the arena, and nobody can raise it from there, since only holders can make holders.
 */
#include "entry.h"

#include <string.h>

static uint64_t hash_key = 0x9e3779b97f4a7c15;

void kv_hash_seed(uint64_t seed) {
    hash_key = seed | 1;
}

/* Multiplies to 128 bits and folds: every bit of either factor reaches every bit of the result. */
static uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t kv_hash(const char *bytes, size_t length) {
    uint64_t hash = hash_key ^ fold(length + 1, 0xd6e8feb86659fd93);
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = fold(hash ^ word, hash_key | 0xa5a3564dc9b4b1e5);
        bytes += 8;
        length -= 8;
    }
    uint64_t rest = 0;
    memcpy(&rest, bytes, length);
    hash = fold(hash ^ rest, hash_key | 0xa5a3564dc9b4b1e5);
    return fold(hash ^ hash_key, 0xc2b2ae3d27d4eb4f);
}

int kv_entry_has_key(const struct kv_entry *entry, const struct kv_key *key) {
    return entry->hash == key->hash && entry->key_length == key->length &&
           memcmp(entry->bytes, key->bytes, key->length) == 0;
}

struct kv_entry *kv_entry_make(const struct kv_key *key, const char *value, size_t value_length,
                               const char *more, size_t more_length, uint64_t deadline_ms) {
    struct kv_entry *entry = malloc(sizeof(*entry) + key->length + value_length + more_length);
    if (!entry)
        return NULL;
    entry->link[0] = entry->link[1] = NULL;
    entry->hash = key->hash;
    entry->deadline_ms = deadline_ms;
    entry->arena = NULL;
    entry->key_length = (uint32_t)key->length;
    entry->value_length = (uint32_t)(value_length + more_length);
    memcpy(entry->bytes, key->bytes, key->length);
    if (value_length)
        memcpy(entry->bytes + key->length, value, value_length);
    if (more_length)
        memcpy(entry->bytes + key->length + value_length, more, more_length);
    return entry;
}

void kv_entry_free(struct kv_entry *entry) {
    if (entry->arena)
        kv_arena_drop(entry->arena, 1);
    else
        free(entry);
}

static void free_deferred(struct k42_defer *defer) {
    kv_entry_free((struct kv_entry *)(void *)((char *)defer - offsetof(struct kv_entry, defer)));
}

void kv_entry_release(struct kv_entry *entry) {
    k42_defer(&entry->defer, free_deferred);
}

struct kv_arena *kv_arena_make(size_t room_per_shard) {
    size_t room = (room_per_shard + 15) & ~(size_t)15;
    struct kv_arena *arena = malloc(sizeof(*arena) + KV_SHARDS * room);
    if (!arena)
        return NULL;
    memset(arena, 0, sizeof(*arena));
    arena->holders = 1;
    arena->room = room;
    return arena;
}

void kv_arena_drop(struct kv_arena *arena, uint64_t holders) {
    if (__atomic_sub_fetch(&arena->holders, holders, __ATOMIC_ACQ_REL) == 0)
        free(arena);
}

void kv_arena_add(struct kv_arena *arena, unsigned shard, const struct kv_entry *entry) {
    size_t size = kv_arena_size(entry);
    if (arena->room - arena->used[shard] < size) {
        arena->outgrown[shard] = 1;
        return;
    }
    char *place = arena->bytes + shard * arena->room + arena->used[shard];
    memcpy(place, entry, kv_entry_size(entry));
    ((struct kv_entry *)(void *)place)->arena = arena;
    arena->used[shard] += size;
}
