/*
 * keyctl, what tells: of a key, of what it has, of the keys altogether. See control.h.
 *
 * What is told is put together with the lock, and copied to the program without it.
 */
#include "../../mem/heap/heap.h"
#include "../files/files.h"
#include "control.h"
#include "keys_inner.h"
#include "runtime.h"

#include <linux/keyctl.h>

k42_result keyctl_ring_id(const struct keyctl *call) {
    struct key_found found;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, call->b ? KEY_MAKE : 0u, KEY_SEARCH, &found);
    if (result >= 0) {
        result = found.key->number;
        key_release_locked(found.key);
    }
    k42_unlock(&keys_lock);
    return result;
}

/* ---- of a key ---- */

static size_t describe(const struct key *key, char *to, size_t size) {
    size_t length = k42_format_text(to, size, "%s;%u;%u;", key->type->name, key->uid,
                                    key->gid == ~0u ? 65534u : key->gid);
    for (unsigned shift = 32; shift; shift -= 4)
        length +=
            k42_format_text(to + length, size - length, "%x", key->rights >> (shift - 4) & 15);
    return length + k42_format_text(to + length, size - length, ";%s", key->text);
}

k42_result keyctl_describe(const struct keyctl *call) {
    enum { HEAD = 80 };
    struct key_found found;
    char *text = heap_allocate(KEY_TEXT_MOST + HEAD);
    if (!text)
        return -ENOMEM;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, KEY_MAKE | KEY_PARTIAL, KEY_VIEW, &found);
    if (result >= 0) {
        result = (k42_result)describe(found.key, text, KEY_TEXT_MOST + HEAD) + 1;
        key_release_locked(found.key);
    }
    k42_unlock(&keys_lock);
    if (result > 0 && call->b && call->c >= (uint64_t)result &&
        files_copy_out(call->b, text, (size_t)result) < 0)
        result = -EFAULT;
    heap_free(text);
    return result;
}

/* There are no labels: the text is empty. */
k42_result keyctl_security(const struct keyctl *call) {
    struct key_found found;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, KEY_PARTIAL, KEY_VIEW, &found);
    if (result >= 0)
        key_release_locked(found.key);
    k42_unlock(&keys_lock);
    if (result >= 0 && call->b && call->c)
        result = files_copy_out(call->b, "", 1);
    return result < 0 ? result : 1;
}

/* ---- of what it has ---- */

static uint32_t length_of(const struct key *key) {
    if (key->type->is_ring)
        return key->count * (uint32_t)sizeof key->number;
    return key->bytes ? key->bytes->length : 0;
}

/* Who possesses a key may read it in any case. */
static k42_result may_read(const struct key_found *found) {
    const struct key *key = found->key;
    if (key->flags & KEY_NEGATIVE)
        return -ENOKEY;
    if (!found->possessed && key_allows(key, false, KEY_READ) < 0)
        return -EACCES;
    return key->type->reads ? key_check(key) : -EOPNOTSUPP;
}

/* As much as there is, if there is room for it. */
static k42_result copy(const struct key *key, size_t room, char **bytes) {
    uint32_t length = length_of(key);
    if (!length || length > room)
        return length;
    *bytes = heap_allocate(length);
    if (!*bytes)
        return -ENOMEM;
    if (key->type->is_ring)
        keyring_list(key, (int32_t *)*bytes, key->count);
    else
        __builtin_memcpy(*bytes, key->bytes->at, length);
    return length;
}

k42_result keyctl_read(const struct keyctl *call) {
    struct key_found found;
    char *bytes = NULL;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, KEY_LATER, KEY_READ, &found);
    if (result < 0) {
        result = -ENOKEY;
    } else {
        result = may_read(&found);
        if (result >= 0)
            result = copy(found.key, call->b ? call->c : 0, &bytes);
        key_release_locked(found.key);
    }
    k42_unlock(&keys_lock);
    if (bytes && result > 0 && files_copy_out(call->b, bytes, (size_t)result) < 0)
        result = -EFAULT;
    heap_free(bytes);
    return result;
}

/* ---- altogether ---- */

k42_result keyctl_capabilities(const struct keyctl *call) {
    static const uint8_t has[] = {KEYCTL_CAPS0_CAPABILITIES | KEYCTL_CAPS0_PERSISTENT_KEYRINGS |
                                      KEYCTL_CAPS0_INVALIDATE | KEYCTL_CAPS0_RESTRICT_KEYRING |
                                      KEYCTL_CAPS0_MOVE,
                                  0};
    size_t told = call->b < sizeof has ? call->b : sizeof has;
    k42_result result = told ? files_copy_out(call->a, has, told) : 0;
    for (size_t at = told; at < call->b && result >= 0; at++)
        result = files_copy_out(call->a + at, "", 1);
    return result < 0 ? result : (k42_result)sizeof has;
}
