/*
 * keyctl: what changes a key, and which function does what. See control.h.
 *
 * Nobody is asked to make keys that are not there (calls.c), so there is nothing to be carried out
 * in somebody else's name: those who try are told that they may not.
 */
#include "control.h"

#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../files/files.h"
#include "keys_inner.h"

#include <linux/keyctl.h>

/* One key, looked up with the rights to do it. */
static k42_result with(int32_t number, unsigned how, unsigned need,
                       k42_result (*fn)(struct key *key, const struct keyctl *call),
                       const struct keyctl *call) {
    struct key_found found;
    k42_lock(&keys_lock);
    k42_result result = key_lookup(number, how, need, &found);
    if (result >= 0) {
        result = fn(found.key, call);
        key_release_locked(found.key);
    }
    k42_unlock(&keys_lock);
    return result;
}

/* ---- what it has ---- */

enum { UPDATE_MOST = 4096, INSTANTIATE_MOST = 1024 * 1024 - 1 };

static k42_result update_now(struct key *key, struct key_bytes **bytes) {
    if (!key->type->has_bytes)
        return -EOPNOTSUPP;
    k42_result result = key_bytes_fit(key->type, *bytes);
    if (result >= 0)
        result = key_exchange_bytes(key, bytes);
    if (result >= 0)
        key->expires_ns = 0;
    return result;
}

static k42_result update(const struct keyctl *call) {
    struct key_found found;
    struct key_bytes *bytes;
    if (call->c > UPDATE_MOST)
        return -EINVAL;
    k42_result result = key_read_bytes(&bytes, call->b, call->c);
    if (result < 0)
        return result;
    k42_lock(&keys_lock);
    result = key_lookup((int32_t)call->a, 0, KEY_WRITE, &found);
    if (result >= 0) {
        result = update_now(found.key, &bytes);
        key_release_locked(found.key);
    }
    k42_unlock(&keys_lock);
    heap_free(bytes);
    return result;
}

/* ---- its state ---- */

static k42_result revoke_now(struct key *key, const struct keyctl *call) {
    (void)call;
    key_revoke(key);
    return 0;
}

/* Who may change it may do so as well. */
static k42_result revoke(const struct keyctl *call) {
    k42_result result = with((int32_t)call->a, 0, KEY_WRITE, revoke_now, call);
    return result == -EACCES ? with((int32_t)call->a, 0, KEY_CHANGE, revoke_now, call) : result;
}

static k42_result invalidate_now(struct key *key, const struct keyctl *call) {
    (void)call;
    key_invalidate(key);
    return 0;
}

static k42_result invalidate(const struct keyctl *call) {
    return with((int32_t)call->a, 0, KEY_SEARCH, invalidate_now, call);
}

static k42_result set_timeout_now(struct key *key, const struct keyctl *call) {
    key_expires_in(key, (uint32_t)call->b);
    return 0;
}

static k42_result set_timeout(const struct keyctl *call) {
    return with((int32_t)call->a, KEY_MAKE | KEY_PARTIAL, KEY_CHANGE, set_timeout_now, call);
}

/* ---- whose it is ---- */

/* Others than the administrator give it to nobody, and only to groups that they are in. */
static k42_result change_owner_now(struct key *key, const struct keyctl *call) {
    uint32_t uid = (uint32_t)call->b, gid = (uint32_t)call->c;
    bool may = task_capable(task_self(), CAP_SYS_ADMIN);
    if (uid != ~0u && uid != key->uid && !may)
        return -EACCES;
    if (gid != ~0u && gid != key->gid && !may &&
        !credentials_in_group(task_self()->credentials, gid))
        return -EACCES;
    k42_result result = uid != ~0u && uid != key->uid ? key_change_user(key, uid) : 0;
    if (result >= 0 && gid != ~0u)
        key->gid = gid;
    return result;
}

static k42_result change_owner(const struct keyctl *call) {
    if ((uint32_t)call->b == ~0u && (uint32_t)call->c == ~0u)
        return 0;
    return with((int32_t)call->a, KEY_MAKE | KEY_PARTIAL, KEY_CHANGE, change_owner_now, call);
}

static k42_result set_rights_now(struct key *key, const struct keyctl *call) {
    if (key->uid != task_self()->credentials->fsuid && !task_capable(task_self(), CAP_SYS_ADMIN))
        return -EACCES;
    key->rights = (uint32_t)call->b;
    return 0;
}

static k42_result set_rights(const struct keyctl *call) {
    const uint32_t all = KEY_RIGHTS(KEY_ALL, KEY_ALL) | KEY_ALL << 8 | KEY_ALL;
    if ((uint32_t)call->b & ~all)
        return -EINVAL;
    return with((int32_t)call->a, KEY_MAKE | KEY_PARTIAL, KEY_CHANGE, set_rights_now, call);
}

/* ---- keys that are asked for ---- */

static k42_result set_default(const struct keyctl *call) {
    struct task *task = task_self();
    int32_t which = (int32_t)call->a, before = task->key_default;
    if (which == KEY_REQKEY_DEFL_NO_CHANGE)
        return before;
    if (which < 0 || which > KEY_REQKEY_DEFL_USER_SESSION_KEYRING)
        return -EINVAL;
    k42_result result = 0;
    k42_lock(&keys_lock);
    if (which == KEY_REQKEY_DEFL_THREAD_KEYRING || which == KEY_REQKEY_DEFL_PROCESS_KEYRING)
        result = key_task_ring((unsigned)which - KEY_REQKEY_DEFL_THREAD_KEYRING);
    k42_unlock(&keys_lock);
    if (result < 0)
        return result;
    task->key_default = (uint8_t)which;
    return before;
}

static k42_result instantiate(const struct keyctl *call) {
    return call->c > INSTANTIATE_MOST ? -EINVAL : -EPERM;
}

static k42_result instantiate_parts(const struct keyctl *call) {
    struct files_vectors vectors;
    k42_result result = call->b ? files_vectors_get(&vectors, call->b, (uint32_t)call->c) : 0;
    if (result >= 0 && call->b)
        files_vectors_end(&vectors);
    return result < 0 ? result : -EPERM;
}

static k42_result negate(const struct keyctl *call) {
    (void)call;
    return -EPERM;
}

static k42_result reject(const struct keyctl *call) {
    uint32_t error = (uint32_t)call->c;
    bool is_internal = error >= 512 && error <= 516 && error != 515;
    return !error || error >= 4095 || is_internal ? -EINVAL : -EPERM;
}

static k42_result assume(const struct keyctl *call) {
    int32_t number = (int32_t)call->a;
    return number < 0 ? -EINVAL : number ? -ENOKEY : 0;
}

/* ---- the call ---- */

static k42_result (*const functions[])(const struct keyctl *call) = {
    [KEYCTL_GET_KEYRING_ID] = keyctl_ring_id,
    [KEYCTL_JOIN_SESSION_KEYRING] = keyctl_join,
    [KEYCTL_UPDATE] = update,
    [KEYCTL_REVOKE] = revoke,
    [KEYCTL_CHOWN] = change_owner,
    [KEYCTL_SETPERM] = set_rights,
    [KEYCTL_DESCRIBE] = keyctl_describe,
    [KEYCTL_CLEAR] = keyctl_clear,
    [KEYCTL_LINK] = keyctl_link,
    [KEYCTL_UNLINK] = keyctl_unlink,
    [KEYCTL_SEARCH] = keyctl_search,
    [KEYCTL_READ] = keyctl_read,
    [KEYCTL_INSTANTIATE] = instantiate,
    [KEYCTL_NEGATE] = negate,
    [KEYCTL_SET_REQKEY_KEYRING] = set_default,
    [KEYCTL_SET_TIMEOUT] = set_timeout,
    [KEYCTL_ASSUME_AUTHORITY] = assume,
    [KEYCTL_GET_SECURITY] = keyctl_security,
    [KEYCTL_SESSION_TO_PARENT] = keyctl_session_to_parent,
    [KEYCTL_REJECT] = reject,
    [KEYCTL_INSTANTIATE_IOV] = instantiate_parts,
    [KEYCTL_INVALIDATE] = invalidate,
    [KEYCTL_GET_PERSISTENT] = keyctl_lasting,
    [KEYCTL_RESTRICT_KEYRING] = keyctl_close,
    [KEYCTL_MOVE] = keyctl_move,
    [KEYCTL_CAPABILITIES] = keyctl_capabilities,
};

LINUX_CALL(250, keyctl, unsigned what, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    const struct keyctl call = {a, b, c, d};
    bool is_known = what < sizeof functions / sizeof *functions && functions[what];
    return is_known ? functions[what](&call) : -EOPNOTSUPP;
}
