/*
 * keyctl, what changes rings, and whose they are. See control.h.
 */
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "control.h"
#include "keys_inner.h"
#include "runtime.h"

#include <linux/keyctl.h>

/* ---- sessions ---- */

k42_result keyctl_join(const struct keyctl *call) {
    char *name = NULL;
    k42_result result = call->a ? key_read_text(&name, call->a) : 0;
    if (result >= 0 && name && name[0] == '.')
        result = -EPERM;
    if (result >= 0) {
        k42_lock(&keys_lock);
        result = key_join_session(name);
        k42_unlock(&keys_lock);
    }
    heap_free(name);
    return result;
}

/* With the lock. */
static k42_result give_to(struct task *parent, bool may) {
    struct key_found session;
    k42_result result = key_lookup(KEY_SPEC_SESSION_KEYRING, 0, KEY_LINK, &session);
    if (result < 0)
        return result;
    const struct key *its = __atomic_load_n(&parent->keyrings[KEYRING_SESSION], __ATOMIC_RELAXED);
    if (!may)
        result = -EPERM;
    else if (its != session.key && !key_may_give_session(parent, session.key))
        result = -EPERM;
    else if (its != session.key)
        key_give_session(parent, session.key);
    key_release_locked(session.key);
    return result < 0 ? result : 0;
}

k42_result keyctl_session_to_parent(const struct keyctl *call) {
    struct process_info info, its;
    (void)call;
    k42_result result = k42_call(task_self()->process, info, &info);
    process_ref parent = (process_ref)k42_id_ref(info.parent_process);
    if (result >= 0)
        result = k42_call(parent, info, &its);
    struct k42_pair found = k42_call(parent, thread, info.parent, 0);
    if (result < 0 || found.result < 0)
        return -EPERM;
    k42_lock(&keys_lock);
    result = give_to((struct task *)found.word, info.parent > 1 && its.threads == 1);
    k42_unlock(&keys_lock);
    return result;
}

/* ---- what they have ---- */

k42_result keyctl_clear(const struct keyctl *call) {
    struct key_found ring;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, KEY_MAKE, KEY_WRITE, &ring);
    if (result >= 0) {
        if (ring.key->type->is_ring)
            keyring_clear(ring.key);
        else
            result = -ENOTDIR;
        key_release_locked(ring.key);
    }
    k42_unlock(&keys_lock);
    return result;
}

/* What may be found of a key, and what one must be allowed to do with it, for it to be changed. */
struct change {
    unsigned ring_flags, key_flags, key_right;
    k42_result (*make)(struct key *ring, struct key *key);
};

static k42_result change_now(const struct keyctl *call, const struct change *change) {
    struct key_found ring, key;
    k42_result result = key_lookup((int32_t)call->b, change->ring_flags, KEY_WRITE, &ring);
    if (result < 0)
        return result;
    result = key_lookup((int32_t)call->a, change->key_flags, change->key_right, &key);
    if (result >= 0) {
        result = change->make(ring.key, key.key);
        key_release_locked(key.key);
    }
    key_release_locked(ring.key);
    return result;
}

static k42_result change(const struct keyctl *call, const struct change *change) {
    k42_lock(&keys_lock);
    k42_result result = change_now(call, change);
    k42_unlock(&keys_lock);
    return result;
}

k42_result keyctl_link(const struct keyctl *call) {
    static const struct change link = {KEY_MAKE, KEY_MAKE, KEY_LINK, keyring_add};
    return change(call, &link);
}

k42_result keyctl_unlink(const struct keyctl *call) {
    static const struct change unlink = {0, KEY_ANY, 0, keyring_remove};
    return change(call, &unlink);
}

/* It is in the one or in the other, or in both until the second step, which cannot fail. */
static k42_result move(struct key *key, struct key *from, struct key *to, bool alone) {
    if (from == to)
        return 0;
    if (!from->type->is_ring || !to->type->is_ring)
        return -ENOTDIR;
    if (!keyring_has(from, key))
        return -ENOENT;
    if (alone && keyring_find(to, key->type, key->text))
        return -EEXIST;
    k42_result result = keyring_add(to, key);
    return result < 0 ? result : keyring_remove(from, key);
}

static k42_result move_now(const struct keyctl *call) {
    struct key_found key = {0}, from = {0}, to = {0};
    k42_result result = key_lookup((int32_t)call->a, KEY_MAKE, KEY_LINK, &key);
    if (result >= 0)
        result = key_lookup((int32_t)call->b, 0, KEY_WRITE, &from);
    if (result >= 0)
        result = key_lookup((int32_t)call->c, KEY_MAKE, KEY_WRITE, &to);
    if (result >= 0)
        result = move(key.key, from.key, to.key, call->d & KEYCTL_MOVE_EXCL);
    key_release_locked(to.key);
    key_release_locked(from.key);
    key_release_locked(key.key);
    return result;
}

k42_result keyctl_move(const struct keyctl *call) {
    if ((uint32_t)call->d & ~(uint32_t)KEYCTL_MOVE_EXCL)
        return -EINVAL;
    k42_lock(&keys_lock);
    k42_result result = move_now(call);
    k42_unlock(&keys_lock);
    return result;
}

/* No more is linked to it. Types have no rules of their own for what may be. */
k42_result keyctl_close(const struct keyctl *call) {
    struct key_found ring;
    char type[KEY_TYPE_MOST];
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->a, 0, KEY_CHANGE, &ring);
    k42_unlock(&keys_lock);
    if (result < 0)
        return result;
    if (call->b) {
        result = call->c ? key_read_type(type, call->b) : -EINVAL;
        if (result >= 0)
            result = key_type_find(type) ? -ENOENT : -ENOKEY;
    } else if (call->c) {
        result = -EINVAL;
    }
    k42_lock(&keys_lock);
    if (result >= 0)
        result = !ring.key->type->is_ring ? -ENOTDIR : ring.key->flags & KEY_CLOSED ? -EEXIST : 0;
    if (result >= 0)
        ring.key->flags |= KEY_CLOSED;
    key_release_locked(ring.key);
    k42_unlock(&keys_lock);
    return result;
}

/* ---- searching ---- */

static k42_result search_in(struct key_found *ring, struct key *to, struct key_search *search) {
    if (!search->type)
        return -ENOKEY;
    struct key *key = keyring_search(ring->key, ring->possessed, search);
    if (!key)
        return search->result == -EAGAIN ? -ENOKEY : search->result;
    k42_result result = to ? key_allows(key, ring->possessed, KEY_LINK) : 0;
    if (result >= 0 && to)
        result = keyring_add(to, key);
    return result < 0 ? result : key->number;
}

static k42_result search_now(const struct keyctl *call, struct key_search *search) {
    struct key_found ring, to = {0};
    k42_result result = key_lookup((int32_t)call->a, 0, KEY_SEARCH, &ring);
    if (result < 0)
        return result;
    if ((int32_t)call->d)
        result = key_lookup((int32_t)call->d, KEY_MAKE, KEY_WRITE, &to);
    if (result >= 0)
        result = search_in(&ring, to.key, search);
    key_release_locked(to.key);
    key_release_locked(ring.key);
    return result;
}

k42_result keyctl_search(const struct keyctl *call) {
    char type[KEY_TYPE_MOST], *text = NULL;
    k42_result result = key_read_type(type, call->b);
    if (result >= 0)
        result = key_read_text(&text, call->c);
    if (result >= 0) {
        struct key_search search = {.type = key_type_find(type), .text = text};
        k42_lock(&keys_lock);
        result = search_now(call, &search);
        k42_unlock(&keys_lock);
    }
    heap_free(text);
    return result;
}

/* ---- what outlasts sessions ---- */

enum { LASTING_SECONDS = 3 * 24 * 3600 };

static k42_result lasting_now(uint32_t uid, struct key *to) {
    struct key *key;
    k42_result result = key_user_lasting(uid, &key);
    if (result >= 0)
        result = key_allows(key, false, KEY_LINK) < 0 && key_allows(key, true, KEY_LINK) < 0
                     ? -EACCES
                     : keyring_add(to, key);
    if (result < 0)
        return result;
    key_expires_in(key, LASTING_SECONDS);
    return key->number;
}

k42_result keyctl_lasting(const struct keyctl *call) {
    const struct task *task = task_self();
    const struct credentials *who = task->credentials;
    struct key_found to;
    uint32_t uid = (uint32_t)call->a == ~0u ? who->uid : (uint32_t)call->a;
    if (uid != who->uid && uid != who->euid && !task_capable(task, CAP_SETUID))
        return -EPERM;
    k42_lock(&keys_lock);
    k42_result result = key_lookup((int32_t)call->b, KEY_MAKE, KEY_WRITE, &to);
    if (result >= 0) {
        result = to.key->type->is_ring ? lasting_now(uid, to.key) : -ENOTDIR;
        key_release_locked(to.key);
    }
    k42_unlock(&keys_lock);
    return result;
}
