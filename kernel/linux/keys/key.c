/*
 * Keys: by number, with what they cost their user. See keys_inner.h.
 *
 * The last reference may go without the lock; whoever finds the key by its number before it is
 * ended holds nothing of it then (key_by_number). A ring that ends lets its keys go; they are ended
 * one after the other, so rings in rings take no stack.
 */
#include "../../fs/random.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../clocks.h"
#include "keys_inner.h"
#include "runtime.h"

#include <string.h>

enum { LISTS = 256, NUMBERS_EACH = INT32_MAX / LISTS + 1, TEXT_BYTES = 1 };

struct k42_lock keys_lock;
static struct key *lists[LISTS];

static const struct key_type types[] = {
    {.name = "user", .has_bytes = true, .reads = true},
    {.name = "logon", .has_bytes = true},
};
const struct key_type key_type_ring = {.name = "keyring", .reads = true, .is_ring = true};

const struct key_type *key_type_find(const char *name) {
    for (unsigned n = 0; n < sizeof types / sizeof *types; n++)
        if (k42_text_equal(types[n].name, name))
            return &types[n];
    return k42_text_equal(key_type_ring.name, name) ? &key_type_ring : NULL;
}

uint32_t key_usual_rights(const struct key_type *type) {
    return KEY_RIGHTS(KEY_VIEW | KEY_SEARCH | KEY_LINK | KEY_CHANGE | KEY_WRITE |
                          (type->reads ? KEY_READ : 0),
                      KEY_VIEW);
}

/* ---- by number ---- */

/* Numbers are drawn, so the lists are of equal length though each has a range; and sorted. */
static struct key **list_of(int32_t number) {
    return &lists[number / NUMBERS_EACH];
}

static struct key *find(int32_t number) {
    struct key *key = number < 0 ? NULL : *list_of(number);
    while (key && key->number != number)
        key = key->next;
    return key;
}

struct key *key_by_number(int32_t number) {
    struct key *key = find(number);
    uint32_t references = key ? __atomic_load_n(&key->references, __ATOMIC_RELAXED) : 0;
    while (references)
        if (__atomic_compare_exchange_n(&key->references, &references, references + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return key;
    return NULL;
}

struct key *key_next(const struct key *key) {
    if (key && key->next)
        return key->next;
    for (int n = key ? key->number / NUMBERS_EACH + 1 : 0; n < LISTS; n++)
        if (lists[n])
            return lists[n];
    return NULL;
}

/* Drawn, so that nobody learns from one which others there are. */
static void give_number(struct key *key) {
    do {
        random_bytes(&key->number, sizeof key->number);
        key->number &= INT32_MAX;
    } while (key->number < 3 || find(key->number));
    struct key **link = list_of(key->number);
    while (*link && (*link)->number < key->number)
        link = &(*link)->next;
    key->next = *link;
    *link = key;
}

/* ---- quotas ---- */

static k42_result charge_new(struct key_user *user, uint32_t cost, const struct key_new *new) {
    bool fits = user->counted < key_user_keys_most(user->uid) &&
                user->cost + cost <= key_user_cost_most(user->uid);
    if (!(new->flags &KEY_COUNTED))
        return 0;
    if (!fits && !new->free_of_charge)
        return -EDQUOT;
    user->counted++;
    user->cost += cost;
    return 0;
}

k42_result key_charge(struct key *key, uint32_t length) {
    struct key_user *user = key->user;
    int64_t more = (int64_t)length - key->length;
    if (key->flags & KEY_COUNTED) {
        if (more > 0 && user->cost + more > key_user_cost_most(user->uid))
            return -EDQUOT;
        user->cost = (uint32_t)(user->cost + more);
    }
    key->cost = (uint32_t)(key->cost + more);
    key->length = length;
    return 0;
}

k42_result key_change_user(struct key *key, uint32_t uid) {
    struct key_user *user = key_user_get(uid);
    if (!user)
        return -ENOMEM;
    if (key->flags & KEY_COUNTED) {
        if (user->counted >= key_user_keys_most(uid) ||
            user->cost + key->cost > key_user_cost_most(uid))
            return -EDQUOT;
        user->counted++;
        user->cost += key->cost;
        key->user->counted--;
        key->user->cost -= key->cost;
    }
    user->keys++;
    key->user->keys--;
    key->user = user;
    key->uid = uid;
    return 0;
}

/* ---- making and ending ---- */

/* A logon's text says what it is for. */
static bool text_fits(const struct key_new *new) {
    const char *colon = new->text;
    if (new->type->reads)
        return *colon;
    while (*colon && *colon != ':')
        colon++;
    return *colon && colon != new->text;
}

k42_result key_make(const struct key_new *new, struct key **made) {
    size_t length = k42_text_length(new->text);
    struct key_user *user = key_user_get(new->uid);
    if (!text_fits(new))
        return -EINVAL;
    struct key *key = user ? heap_allocate_zeroed(sizeof *key + length + TEXT_BYTES) : NULL;
    if (!key)
        return -ENOMEM;
    k42_result result = charge_new(user, (uint32_t)length + TEXT_BYTES, new);
    if (result < 0) {
        heap_free(key);
        return result;
    }
    key->references = 1;
    key->type = new->type;
    key->uid = new->uid;
    key->gid = new->gid;
    key->rights = new->rights;
    key->flags = new->flags;
    key->user = user;
    key->cost = (uint32_t)length + TEXT_BYTES;
    key->hash = node_hash(new->text, (uint32_t)length);
    memcpy(key->text, new->text, length);
    user->keys++;
    give_number(key);
    *made = key;
    return 0;
}

struct key *key_hold(struct key *key) {
    if (key)
        __atomic_fetch_add(&key->references, 1, __ATOMIC_RELAXED);
    return key;
}

static void take_apart(struct key *key) {
    struct key **link = list_of(key->number);
    while (*link != key)
        link = &(*link)->next;
    *link = key->next;
    if (key->flags & KEY_COUNTED) {
        key->user->counted--;
        key->user->cost -= key->cost;
    }
    key->user->keys--;
    heap_free(key->bytes);
    heap_free(key->list);
    heap_free(key);
}

/* Its keys are let go of first, of which the last ones join those that end. */
static void end(struct key *ending) {
    ending->after = NULL;
    for (struct key *key = ending; key;) {
        while (key->lists && !key->list[key->lists - 1])
            key->lists--;
        if (!key->lists) {
            struct key *after = key->after;
            take_apart(key);
            key = after;
            continue;
        }
        struct key_link *link = key->list[key->lists - 1];
        struct key *inner = key_hold(link->key);
        keyring_unlink(link);
        if (__atomic_sub_fetch(&inner->references, 1, __ATOMIC_ACQ_REL))
            continue;
        inner->after = key;
        key = inner;
    }
}

void key_release_locked(struct key *key) {
    if (key && !__atomic_sub_fetch(&key->references, 1, __ATOMIC_ACQ_REL))
        end(key);
}

void key_release(struct key *key) {
    if (!key || __atomic_sub_fetch(&key->references, 1, __ATOMIC_ACQ_REL))
        return;
    k42_lock(&keys_lock);
    end(key);
    k42_unlock(&keys_lock);
}

/* ---- states ---- */

k42_result key_check(const struct key *key) {
    if (key->flags & KEY_INVALID)
        return -ENOKEY;
    if (key->flags & KEY_REVOKED)
        return -EKEYREVOKED;
    return key->expires_ns && time_ns() >= key->expires_ns ? -EKEYEXPIRED : 0;
}

k42_result key_allows(const struct key *key, bool possessed, unsigned need) {
    const struct credentials *who = task_self()->credentials;
    uint32_t rights = key->rights;
    if (key->uid == who->fsuid)
        rights >>= 16;
    else if ((key->rights >> 8 & KEY_ALL) && key->gid != ~0u && credentials_in_group(who, key->gid))
        rights >>= 8;
    if (possessed)
        rights |= key->rights >> 24;
    return need & ~rights & KEY_ALL ? -EACCES : 0;
}

/* ---- those that are over ---- */

#define KEPT_NS (300 * (uint64_t)NS_PER_SECOND) /* in rings, so that people learn why */

static uint64_t collect_at_ns = UINT64_MAX;

/* 0: that is not known. */
static uint64_t over_ns(const struct key *key) {
    uint64_t expires = key->expires_ns, revoked = key->revoked_ns;
    return revoked && (!expires || revoked < expires) ? revoked : expires;
}

/* The key's time has been set. */
static void note(const struct key *key) {
    uint64_t over = over_ns(key);
    if (over && over + KEPT_NS < collect_at_ns)
        collect_at_ns = over + KEPT_NS;
}

/* Takes one that is over out of all rings; others may end with it. False: there is none. */
static bool collect_one(uint64_t now) {
    collect_at_ns = UINT64_MAX;
    for (struct key *key = key_next(NULL); key; key = key_next(key)) {
        if (!key->links || !over_ns(key))
            continue;
        if (now < over_ns(key) + KEPT_NS) {
            note(key);
            continue;
        }
        key_hold(key);
        while (key->links)
            keyring_unlink(key->links);
        key_release_locked(key);
        return true;
    }
    return false;
}

void keys_collect(void) {
    uint64_t now = time_ns();
    if (__builtin_expect(now < collect_at_ns, 1))
        return;
    while (collect_one(now)) {
    }
}

void key_expires_in(struct key *key, uint32_t seconds) {
    key->expires_ns = seconds ? time_ns() + seconds * (uint64_t)NS_PER_SECOND : 0;
    note(key);
}

void key_revoke(struct key *key) {
    key->flags |= KEY_REVOKED;
    key->revoked_ns = time_ns();
    note(key);
    if (key->type->is_ring)
        keyring_clear(key);
    else if (key_charge(key, 0) >= 0) { /* which costs less */
        heap_free(key->bytes);
        key->bytes = NULL;
    }
}

void key_invalidate(struct key *key) {
    key->flags |= KEY_INVALID;
    while (key->links)
        keyring_unlink(key->links);
}
