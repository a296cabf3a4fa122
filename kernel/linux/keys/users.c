/*
 * What each user has of keys: how many, what they cost, and the rings that he has in any case.
 *
 * Users are in hashed lists, and stay: one who has used keys has two rings. All with the lock.
 */
#include "../../mem/heap/heap.h"
#include "keys_inner.h"
#include "runtime.h"

enum {
    LISTS = 64,
    KEYS_MOST = 200,
    COST_MOST = 20000,
    ROOT_KEYS_MOST = 1000000,
    ROOT_COST_MOST = 25000000,
    NAME_MOST = 24,
};

static struct key_user *lists[LISTS];

static struct key_user **list_of(uint32_t uid) {
    return &lists[uid % LISTS];
}

struct key_user *key_user_get(uint32_t uid) {
    struct key_user *user = *list_of(uid);
    while (user && user->uid != uid)
        user = user->next;
    if (user)
        return user;
    user = heap_allocate_zeroed(sizeof *user);
    if (!user)
        return NULL;
    user->uid = uid;
    user->next = *list_of(uid);
    *list_of(uid) = user;
    return user;
}

struct key_user *key_user_next(const struct key_user *user) {
    if (user && user->next)
        return user->next;
    for (unsigned n = user ? user->uid % LISTS + 1 : 0; n < LISTS; n++)
        if (lists[n])
            return lists[n];
    return NULL;
}

uint32_t key_user_keys_most(uint32_t uid) {
    return uid ? KEYS_MOST : ROOT_KEYS_MOST;
}

uint32_t key_user_cost_most(uint32_t uid) {
    return uid ? COST_MOST : ROOT_COST_MOST;
}

static k42_result make(struct key_user *user, const char *name, uint32_t rights, uint32_t flags,
                       struct key **ring) {
    char text[NAME_MOST];
    k42_format_text(text, sizeof text, "%s.%u", name, user->uid);
    struct key_new new = {.type = &key_type_ring,
                          .text = text,
                          .uid = user->uid,
                          .gid = ~0u,
                          .rights = rights,
                          .flags = flags};
    return key_make(&new, ring);
}

k42_result key_user_rings(uint32_t uid, struct key_user **found) {
    uint32_t rights = KEY_RIGHTS(KEY_ALL & ~KEY_CHANGE, KEY_ALL);
    struct key_user *user = key_user_get(uid);
    k42_result result = user ? 0 : -ENOMEM;
    if (result >= 0 && !user->ring)
        result = make(user, "_uid", rights, KEY_COUNTED | KEY_OF_USER, &user->ring);
    if (result >= 0 && !user->session) {
        result = make(user, "_uid_ses", rights, KEY_COUNTED | KEY_OF_USER, &user->session);
        if (result >= 0)
            result = keyring_add(user->session, user->ring);
    }
    *found = user;
    return result;
}

k42_result key_user_lasting(uint32_t uid, struct key **key) {
    uint32_t rights = KEY_RIGHTS(KEY_ALL & ~KEY_CHANGE, KEY_VIEW | KEY_READ);
    struct key_user *user = key_user_get(uid);
    if (!user)
        return -ENOMEM;
    if (user->lasting && key_check(user->lasting) < 0) {
        key_release_locked(user->lasting);
        user->lasting = NULL;
    }
    k42_result result = user->lasting ? 0 : make(user, "_persistent", rights, 0, &user->lasting);
    *key = user->lasting;
    return result;
}
