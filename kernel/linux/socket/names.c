/*
 * The table of names of sockets. A bucket's lock, leaf, for the entries in it; what is found is
 * held after that, while the finder is still active, so its number is nobody else's yet.
 */
#include "names.h"

#include <errno.h>
#include <k42/lock.h>

#define BUCKETS 1024u

static struct bucket {
    struct k42_lock lock;
    struct socket_bound *first;
} buckets[BUCKETS];

/* A path is one socket's; an abstract name one socket's of each kind. */
static bool is_same(const struct socket_bound *bound, const struct socket_name *name,
                    unsigned kind) {
    const struct socket_address *left = &bound->name.address, *right = &name->address;
    if (bound->name.node || name->node)
        return bound->name.node == name->node;
    return bound->kind == kind && left->length == right->length &&
           !__builtin_memcmp(left->bytes, right->bytes, left->length);
}

static struct bucket *bucket_of(const struct socket_name *name) {
    uint64_t hash = name->node;
    if (!name->node)
        for (uint32_t i = 0; i < name->address.length; i++)
            hash = (hash ^ (uint8_t)name->address.bytes[i]) * 0x100000001b3ul;
    return &buckets[(hash * 0x9e3779b97f4a7c15ul >> 32) % BUCKETS];
}

/* With the lock. */
static struct socket_bound *find_in(struct bucket *bucket, const struct socket_name *name,
                                    unsigned kind) {
    struct socket_bound *bound = bucket->first;
    while (bound && !is_same(bound, name, kind))
        bound = bound->next;
    return bound;
}

k42_result socket_names_add(struct socket_bound *bound) {
    struct bucket *bucket = bucket_of(&bound->name);
    k42_lock(&bucket->lock);
    bool taken = find_in(bucket, &bound->name, bound->kind);
    if (!taken) {
        bound->next = bucket->first;
        bucket->first = bound;
        bound->in = true;
    }
    k42_unlock(&bucket->lock);
    return taken ? -EADDRINUSE : 0;
}

void socket_names_remove(struct socket_bound *bound) {
    struct bucket *bucket = bucket_of(&bound->name);
    if (!bound->in)
        return;
    k42_lock(&bucket->lock);
    struct socket_bound **link = &bucket->first;
    while (*link != bound)
        link = &(*link)->next;
    *link = bound->next;
    bound->in = false;
    k42_unlock(&bucket->lock);
}

k42_result socket_names_find(const struct socket_name *name, unsigned kind, bool listens,
                             inbox_ref *inbox) {
    struct bucket *bucket = bucket_of(name);
    k42_result result = -ECONNREFUSED;
    k42_lock(&bucket->lock);
    const struct socket_bound *bound = find_in(bucket, name, kind);
    if (bound) {
        *inbox = (inbox_ref)k42_id_ref(bound->inbox);
        bool ready = !listens || __atomic_load_n(&bound->listens, __ATOMIC_ACQUIRE);
        result = bound->kind != kind ? -EPROTOTYPE : ready ? 0 : -ECONNREFUSED;
    }
    k42_unlock(&bucket->lock);
    if (result >= 0 && k42_call(*inbox, hold) < 0)
        return -ECONNREFUSED;
    return result;
}

/* Five digits, as Linux has them; each try takes the next number. */
k42_result socket_names_invent(struct socket_bound *bound) {
    enum { DIGITS = 5, FAMILY = 2, NUMBERS = 1 << 20 };
    static uint32_t last;
    for (unsigned tries = 0; tries < NUMBERS; tries++) {
        uint32_t number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) % NUMBERS;
        bound->name = (struct socket_name){.address = {.length = FAMILY + 1 + DIGITS}};
        bound->name.address.bytes[0] = 1; /* AF_UNIX */
        for (unsigned i = 0; i < DIGITS; i++)
            bound->name.address.bytes[FAMILY + 1 + i] =
                "0123456789abcdef"[number >> 4 * (DIGITS - 1 - i) & 15];
        if (socket_names_add(bound) >= 0)
            return 0;
    }
    return -ENOSPC;
}
