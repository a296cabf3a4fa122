/*
 * add_key and request_key. See keys_inner.h.
 *
 * Texts and bytes are copied first; then all is done with the lock, so a key is there with what it
 * says or not at all. Nobody is called to make a key that is asked for: as on a Linux without
 * /sbin/request-key, whoever says what it should be told is told that there is no such program, and
 * for a minute it is known that there is no such key.
 */
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "keys_inner.h"
#include "runtime.h"

enum { BYTES_MOST = 1024 * 1024 - 1, NEGATIVE_SECONDS = 60 };

/* What a call says of the key that it means. */
struct wanted {
    char type[KEY_TYPE_MOST];
    char *text;
    struct key_bytes *bytes;
    int32_t ring;
};

static void end(struct wanted *wanted) {
    heap_free(wanted->text);
    heap_free(wanted->bytes);
}

/* The caller's, as yet in no ring. */
static k42_result make(const struct key_type *type, const struct wanted *wanted, uint32_t flags,
                       struct key **key) {
    const struct credentials *who = task_self()->credentials;
    struct key_new new = {.type = type,
                          .text = wanted->text,
                          .uid = who->fsuid,
                          .gid = who->fsgid,
                          .rights = key_usual_rights(type),
                          .flags = KEY_COUNTED | flags};
    return key_make(&new, key);
}

/* ---- add_key ---- */

static k42_result make_in(struct key *ring, const struct key_type *type, struct wanted *wanted) {
    struct key *key;
    k42_result result = make(type, wanted, 0, &key);
    if (result < 0)
        return result;
    result = key_exchange_bytes(key, &wanted->bytes);
    if (result >= 0)
        result = keyring_add(ring, key);
    if (result >= 0)
        result = key->number;
    key_release_locked(key);
    return result;
}

static k42_result update(struct key *key, bool possessed, struct wanted *wanted) {
    k42_result result = key_allows(key, possessed, KEY_WRITE);
    if (result >= 0)
        result = key_exchange_bytes(key, &wanted->bytes);
    if (result < 0)
        return result;
    key->flags &= ~(uint32_t)KEY_NEGATIVE;
    key->expires_ns = 0;
    return key->number;
}

static k42_result add_to(const struct key_found *ring, struct wanted *wanted) {
    const struct key_type *type = key_type_find(wanted->type);
    if (!type)
        return -ENODEV;
    if (!wanted->text && !type->has_bytes && !type->is_ring)
        return -EINVAL;
    if (!ring->key->type->is_ring)
        return -ENOTDIR;
    k42_result result = key_bytes_fit(type, wanted->bytes);
    if (result < 0 || !wanted->text)
        return -EINVAL;
    if (ring->key->flags & KEY_CLOSED)
        return -EPERM;
    struct key *there = type->is_ring ? NULL : keyring_find(ring->key, type, wanted->text);
    return there && !(there->flags & (KEY_REVOKED | KEY_INVALID))
               ? update(there, ring->possessed, wanted)
               : make_in(ring->key, type, wanted);
}

static k42_result add(struct wanted *wanted) {
    struct key_found ring;
    k42_lock(&keys_lock);
    k42_result result = key_lookup(wanted->ring, KEY_MAKE, KEY_WRITE, &ring);
    if (result >= 0) {
        result = add_to(&ring, wanted);
        key_release_locked(ring.key);
    }
    k42_unlock(&keys_lock);
    return result;
}

/* Names with a dot are the kernel's own. An empty text is none. */
static k42_result read_name(struct wanted *wanted, uintptr_t from) {
    k42_result result = from ? key_read_text(&wanted->text, from) : 0;
    if (result < 0 || !wanted->text)
        return result;
    if (wanted->text[0] == '.' && k42_text_equal(wanted->type, key_type_ring.name))
        return -EPERM;
    if (!wanted->text[0]) {
        heap_free(wanted->text);
        wanted->text = NULL;
    }
    return 0;
}

LINUX_CALL(248, add_key, uintptr_t type, uintptr_t text, uintptr_t bytes, size_t length,
           int32_t ring) {
    struct wanted wanted = {.ring = ring};
    if (length > BYTES_MOST)
        return -EINVAL;
    k42_result result = key_read_type(wanted.type, type);
    if (result >= 0)
        result = read_name(&wanted, text);
    if (result >= 0)
        result = key_read_bytes(&wanted.bytes, bytes, length);
    if (result >= 0)
        result = add(&wanted);
    end(&wanted);
    return result;
}

/* ---- request_key ---- */

/* A key that says that there is none. */
static k42_result make_negative(struct key *to, const struct key_type *type,
                                const struct wanted *wanted) {
    struct key *ring = key_hold(to), *key;
    k42_result result = ring ? 0 : key_default_ring(&ring);
    if (result < 0)
        return result;
    result = make(type, wanted, KEY_NEGATIVE, &key);
    if (result >= 0) {
        key_expires_in(key, NEGATIVE_SECONDS);
        result = keyring_add(ring, key);
        key_release_locked(key);
    }
    key_release_locked(ring);
    return result < 0 ? result : -ENOENT;
}

static k42_result request_into(struct key *ring, const struct wanted *wanted, bool may_make) {
    const struct key_type *type = key_type_find(wanted->type);
    struct key_search search = {.type = type, .text = wanted->text, .skips_expired = true};
    struct key_found found;
    if (!type)
        return -ENOKEY;
    k42_result result = key_search_own(&search, &found);
    if (result == -EAGAIN && may_make)
        return type->is_ring ? -EPERM : make_negative(ring, type, wanted);
    if (result < 0)
        return result == -EAGAIN ? -ENOKEY : result;
    if (ring) {
        result = key_allows(found.key, true, KEY_LINK);
        if (result >= 0)
            result = keyring_add(ring, found.key);
    }
    if (result >= 0)
        result = found.key->number;
    key_release_locked(found.key);
    return result;
}

static k42_result request(const struct wanted *wanted, bool may_make) {
    struct key_found ring = {0};
    k42_lock(&keys_lock);
    k42_result result = wanted->ring ? key_lookup(wanted->ring, KEY_MAKE, KEY_WRITE, &ring) : 0;
    if (result >= 0)
        result = request_into(ring.key, wanted, may_make);
    key_release_locked(ring.key);
    k42_unlock(&keys_lock);
    return result;
}

LINUX_CALL(249, request_key, uintptr_t type, uintptr_t text, uintptr_t told, int32_t ring) {
    struct wanted wanted = {.ring = ring};
    char *what = NULL;
    k42_result result = key_read_type(wanted.type, type);
    if (result >= 0)
        result = key_read_text(&wanted.text, text);
    if (result >= 0 && told)
        result = key_read_text(&what, told);
    if (result >= 0)
        result = request(&wanted, what != NULL);
    heap_free(what);
    end(&wanted);
    return result;
}
