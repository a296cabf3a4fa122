/*
 * Table, open addressing: each shard one array of slots, sorted by hash.
 *
 * For tables whose size is known: no chain to follow, so finding a key touches one or two cache
 * lines before the entry itself, and 16 bytes a slot are all it costs. A shard grows at once: the
 * call that fills it moves the whole shard.
 *
 * A hash's home is the slot that its first bits name; an entry stands at its home or as little
 * behind it as the order of hashes allows (linear probing, with those of larger hash giving way).
 * The array does not wrap: behind the last home there are spare slots, and a shard whose spare
 * slots run out is full.
 *
 * Locking: shard->lock, leaf. Arrays are allocated and freed outside it.
 * Formats: those of table_body.c.
 * Fails:   -ENOMEM from store and exchange when a shard is full and finds no memory to grow.
 */
#include "table_body.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FIRST_BITS = 6,
    MOST_BITS = 32,
    WALKED_SLOTS = 4096 /* the most that one step of a walk looks at */
};

struct open_slot {
    uint64_t hash;
    struct kv_entry *entry; /* NULL: free */
};

struct open_shard {
    struct k42_lock lock;
    unsigned bits;
    struct open_slot *slots; /* slot_count(bits) of them */
    size_t count;            /* entries; written under the lock, read without */
    size_t bytes;            /* what they take in an arena; likewise */
} __attribute__((aligned(64)));

struct table_open {
    struct table_body body;
    char *memory; /* what the shards, aligned to cache lines, lie in */
    struct open_shard *shards;
};

static struct table_open *open_of(struct table_body *body) {
    return k42_container(body, struct table_open, body);
}

static struct open_shard *shard_of(struct table *self, uint64_t hash) {
    return &open_of(TABLE_BODY(self))->shards[kv_shard(hash)];
}

/* Homes and, behind them, an eighth as many spare slots. */
static size_t slot_count(unsigned bits) {
    return ((size_t)1 << bits) + ((size_t)1 << bits) / 8 + 32;
}

static size_t home_of(uint64_t hash, unsigned bits) {
    return (size_t)((hash << KV_SHARD_BITS) >> (64 - bits));
}

/* The slot of the key, or the one where it would be put in; slot_count() when behind the last. */
static size_t find_slot(const struct open_shard *shard, const struct kv_key *key) {
    size_t at = home_of(key->hash, shard->bits), end = slot_count(shard->bits);
    while (at < end && shard->slots[at].entry && shard->slots[at].hash < key->hash)
        at++;
    for (size_t same = at; same < end && shard->slots[same].entry; same++) {
        if (shard->slots[same].hash != key->hash)
            break;
        if (kv_entry_has_key(shard->slots[same].entry, key))
            return same;
    }
    return at;
}

static struct kv_entry *entry_at(const struct open_shard *shard, size_t at,
                                 const struct kv_key *key) {
    if (at == slot_count(shard->bits) || !shard->slots[at].entry)
        return NULL;
    return kv_entry_has_key(shard->slots[at].entry, key) ? shard->slots[at].entry : NULL;
}

static void account(struct open_shard *shard, const struct kv_entry *gone,
                    const struct kv_entry *come) {
    size_t count = shard->count + (come != NULL) - (gone != NULL);
    size_t bytes =
        shard->bytes + (come ? kv_arena_size(come) : 0) - (gone ? kv_arena_size(gone) : 0);
    __atomic_store_n(&shard->count, count, __ATOMIC_RELAXED);
    __atomic_store_n(&shard->bytes, bytes, __ATOMIC_RELAXED);
}

/* Makes those from `at` to the next free slot give way. -ENOSPC: there is no free one behind. */
static k42_result insert_at(struct open_shard *shard, size_t at, struct kv_entry *entry) {
    size_t end = slot_count(shard->bits), open = at;
    while (open < end && shard->slots[open].entry)
        open++;
    if (open == end)
        return -ENOSPC;
    memmove(&shard->slots[at + 1], &shard->slots[at], (open - at) * sizeof(*shard->slots));
    shard->slots[at] = (struct open_slot){entry->hash, entry};
    account(shard, NULL, entry);
    return 0;
}

/* Lets those behind `at` that are not at home move up, so that no gap parts them from their home.
 */
static void remove_at(struct open_shard *shard, size_t at) {
    size_t end = slot_count(shard->bits), behind = at + 1;
    account(shard, shard->slots[at].entry, NULL);
    while (behind < end && shard->slots[behind].entry &&
           home_of(shard->slots[behind].hash, shard->bits) < behind)
        behind++;
    memmove(&shard->slots[at], &shard->slots[at + 1], (behind - at - 1) * sizeof(*shard->slots));
    shard->slots[behind - 1].entry = NULL;
}

/* ---- growth ---- */

/* Fills empty slots of another size from a sorted array, in order. -ENOSPC: they do not fit. */
static k42_result spread(const struct open_slot *slots, unsigned bits, struct open_slot *larger,
                         unsigned larger_bits) {
    size_t next = 0, end = slot_count(larger_bits);
    for (size_t n = 0; n < slot_count(bits); n++) {
        if (!slots[n].entry)
            continue;
        size_t home = home_of(slots[n].hash, larger_bits);
        next = home > next ? home : next;
        if (next == end)
            return -ENOSPC;
        larger[next++] = slots[n];
    }
    return 0;
}

/* Gives a shard of 2^bits homes twice as many, unless another thread has. */
static k42_result grow(struct open_shard *shard, unsigned bits) {
    if (bits + 1 > MOST_BITS)
        return -ENOMEM;
    struct open_slot *larger = calloc(slot_count(bits + 1), sizeof(*larger));
    if (!larger)
        return -ENOMEM;
    struct open_slot *unused = larger;
    k42_result result = 0;
    k42_lock(&shard->lock);
    if (shard->bits == bits)
        result = spread(shard->slots, bits, larger, bits + 1);
    if (shard->bits == bits && result == 0) {
        unused = shard->slots;
        shard->slots = larger;
        shard->bits = bits + 1;
    }
    k42_unlock(&shard->lock);
    free(unused);
    return result == 0 ? 0 : -ENOMEM;
}

/* Three quarters full: beyond that, runs of taken slots get long. */
static int is_full(const struct open_shard *shard) {
    return shard->count >= ((size_t)3 << shard->bits) / 4;
}

/* ---- methods ---- */

static k42_result open_lookup(struct table *self, const struct kv_key *key,
                              struct kv_entry **entry) {
    struct open_shard *shard = shard_of(self, key->hash);
    k42_lock(&shard->lock);
    *entry = entry_at(shard, find_slot(shard, key), key);
    k42_unlock(&shard->lock);
    return *entry ? 0 : -ENOENT;
}

static k42_result open_lookup_hash(struct table *self, uint64_t hash, struct kv_entry **entry) {
    struct open_shard *shard = shard_of(self, hash);
    *entry = NULL;
    k42_lock(&shard->lock);
    size_t at = home_of(hash, shard->bits), end = slot_count(shard->bits);
    while (at < end && shard->slots[at].entry && shard->slots[at].hash < hash)
        at++;
    if (at < end && shard->slots[at].entry && shard->slots[at].hash == hash)
        *entry = shard->slots[at].entry;
    k42_unlock(&shard->lock);
    return *entry ? 0 : -ENOENT;
}

/* One attempt, under the lock. -ENOSPC: the shard must grow first. */
static k42_result try_change(struct open_shard *shard, const struct kv_key *key,
                             struct kv_entry *wanted, struct kv_entry **present, int must_match) {
    size_t at = find_slot(shard, key);
    struct kv_entry *found = entry_at(shard, at, key);
    if (must_match && found != *present)
        return -EAGAIN;
    if (found && wanted) {
        shard->slots[at].entry = wanted;
        account(shard, found, wanted);
    } else if (found) {
        remove_at(shard, at);
    } else if (wanted) {
        if (is_full(shard))
            return -ENOSPC;
        k42_result result = insert_at(shard, at, wanted);
        if (result < 0)
            return result;
    }
    *present = found;
    return 0;
}

static k42_result change(struct table *self, const struct kv_key *key, struct kv_entry *wanted,
                         struct kv_entry **present, int must_match) {
    struct open_shard *shard = shard_of(self, key->hash);
    for (;;) {
        k42_lock(&shard->lock);
        k42_result result = try_change(shard, key, wanted, present, must_match);
        unsigned bits = shard->bits;
        k42_unlock(&shard->lock);
        if (result != -ENOSPC)
            return result;
        result = grow(shard, bits);
        if (result < 0)
            return result;
    }
}

static k42_result open_store(struct table *self, struct kv_entry *entry,
                             struct kv_entry **replaced) {
    struct kv_key key = kv_entry_key(entry);
    return change(self, &key, entry, replaced, 0);
}

static k42_result open_exchange(struct table *self, const struct kv_key *key,
                                struct kv_entry *expected, struct kv_entry *wanted) {
    return change(self, key, wanted, &expected, 1);
}

/*
 * Shows what one shard has from *cursor on, until there is no room or enough has been looked at.
 * It may stop at a free slot: whatever stands behind one has its home behind it too.
 */
static size_t walk_shard(struct open_shard *shard, uint64_t *cursor, struct kv_entry **entries,
                         size_t room, unsigned *looked) {
    uint64_t number = kv_shard(*cursor), first = number << (64 - KV_SHARD_BITS);
    size_t homes = (size_t)1 << shard->bits, end = slot_count(shard->bits), shown = 0;
    for (size_t at = home_of(*cursor, shard->bits); at < end; at++) {
        struct open_slot *slot = &shard->slots[at];
        if (slot->entry && slot->hash < *cursor)
            continue;
        ++*looked;
        if (slot->entry && (shown == room || *looked > WALKED_SLOTS)) {
            *cursor = slot->hash;
            return shown;
        }
        if (!slot->entry && *looked > WALKED_SLOTS && at < homes) {
            *cursor = first + ((uint64_t)at << (64 - KV_SHARD_BITS - shard->bits));
            return shown;
        }
        if (slot->entry)
            entries[shown++] = slot->entry;
    }
    *cursor = first + ((uint64_t)1 << (64 - KV_SHARD_BITS)); /* 0 behind the last shard */
    return shown;
}

static k42_result open_walk(struct table *self, uint64_t *cursor, struct kv_entry **entries,
                            size_t room) {
    size_t shown = 0;
    unsigned looked = 0;
    do {
        struct open_shard *shard = shard_of(self, *cursor);
        k42_lock(&shard->lock);
        shown += walk_shard(shard, cursor, entries + shown, room - shown, &looked);
        k42_unlock(&shard->lock);
    } while (*cursor != 0 && shown < room && looked < WALKED_SLOTS);
    return (k42_result)shown;
}

static k42_result open_count(struct table *self) {
    size_t count = 0;
    for (unsigned n = 0; n < KV_SHARDS; n++)
        count += __atomic_load_n(&open_of(TABLE_BODY(self))->shards[n].count, __ATOMIC_RELAXED);
    return (k42_result)count;
}

static k42_result open_describe(struct k42_object *self, char *text, size_t size) {
    struct table *table = (struct table *)(void *)self;
    return snprintf(text, size, "open-addressing table of %ld entries in %d shards",
                    open_count(table), KV_SHARDS);
}

/* ---- layout, for transfers ---- */

static void open_measure(struct table_body *body, unsigned number, size_t *entries, size_t *bytes) {
    struct open_shard *shard = &open_of(body)->shards[number];
    *entries = __atomic_load_n(&shard->count, __ATOMIC_RELAXED);
    *bytes = __atomic_load_n(&shard->bytes, __ATOMIC_RELAXED);
}

static void open_discard(struct table_body *body) {
    struct table_open *table = open_of(body);
    for (unsigned n = 0; table->shards && n < KV_SHARDS; n++)
        free(table->shards[n].slots);
    free(table->memory);
    table->memory = NULL;
    table->shards = NULL;
}

static k42_result open_reserve(struct table_body *body, size_t entries_per_shard) {
    struct table_open *table = open_of(body);
    unsigned bits = FIRST_BITS;
    while (bits < MOST_BITS && ((size_t)1 << bits) / 2 < entries_per_shard)
        bits++;
    open_discard(body);
    table->memory = calloc(KV_SHARDS + 1, sizeof(struct open_shard));
    if (!table->memory)
        return -ENOMEM;
    table->shards = (struct open_shard *)(((uintptr_t)table->memory + 63) & ~(uintptr_t)63);
    for (unsigned n = 0; n < KV_SHARDS; n++) {
        table->shards[n].bits = bits;
        table->shards[n].slots = calloc(slot_count(bits), sizeof(struct open_slot));
        if (!table->shards[n].slots) {
            open_discard(body);
            return -ENOMEM;
        }
    }
    return 0;
}

static k42_result open_import(struct table_body *body, struct kv_entry *entry) {
    struct open_shard *shard = &open_of(body)->shards[kv_shard(entry->hash)];
    struct kv_key key = kv_entry_key(entry);
    return is_full(shard) ? -ENOSPC : insert_at(shard, find_slot(shard, &key), entry);
}

static k42_result open_each(struct table_body *body, unsigned number, table_take_fn take,
                            void *context) {
    struct table_open *table = open_of(body);
    if (!table->shards)
        return 0;
    struct open_shard *shard = &table->shards[number];
    k42_result result = 0;
    for (size_t at = 0; at < slot_count(shard->bits) && result >= 0; at++)
        if (shard->slots[at].entry)
            result = take(context, shard->slots[at].entry);
    return result;
}

static const struct table_layout open_layout = {
    .measure = open_measure,
    .reserve = open_reserve,
    .import = open_import,
    .each = open_each,
    .discard = open_discard,
};

static k42_result open_init(struct k42_root *root, const void *args) {
    struct table_body *body = k42_container(root, struct table_body, root);
    (void)args;
    table_body_init(body, &open_layout);
    return open_reserve(body, 0);
}

static void open_fini(struct k42_root *root) {
    table_body_fini(k42_container(root, struct table_body, root));
}

static const struct table_ops open_ops = {
    .object.describe = open_describe,
    .lookup = open_lookup,
    .lookup_hash = open_lookup_hash,
    .store = open_store,
    .exchange = open_exchange,
    .walk = open_walk,
    .count = open_count,
};

K42_CLASS(table_open) = {
    .name = "table.open",
    .interface = &table_interface,
    .version = 1,
    .traits = "growth=atonce",
    .kind = &k42_single,
    .root_size = sizeof(struct table_open),
    .rep_offset = offsetof(struct table_open, body.rep),
    .ops = &open_ops,
    .init = open_init,
    .fini = open_fini,
    .transfers = table_body_transfers,
};
