/*
 * Whose rings: the caller's thread's, process's, session's and user's, and which key a number means
 * to him. See keys_inner.h.
 *
 * A task's rings are its own thread's. A session that a child has given it waits in a word of its
 * own, and is taken before the session is looked at.
 */
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "keys_inner.h"

#include <linux/keyctl.h>

/* ---- a task's rings ---- */

static void set(struct task *task, unsigned which, struct key *ring) {
    key_release_locked(__atomic_exchange_n(&task->keyrings[which], ring, __ATOMIC_ACQ_REL));
}

static struct key *session_of(struct task *task) {
    struct key *given = __atomic_exchange_n(&task->given_session, NULL, __ATOMIC_ACQ_REL);
    if (given)
        set(task, KEYRING_SESSION, given);
    return task->keyrings[KEYRING_SESSION];
}

/* In the stead of a session that is given: the task is over, and takes none. */
#define TAKES_NONE ((struct key *)1)

/* A child may be looking at it, with the lock, without which nothing is freed. */
static void drop(struct task *task, unsigned which) {
    key_release(__atomic_exchange_n(&task->keyrings[which], NULL, __ATOMIC_ACQ_REL));
}

void keys_leave_program(struct task *task) {
    drop(task, KEYRING_THREAD);
    drop(task, KEYRING_PROCESS);
}

void keys_release(struct task *task) {
    for (unsigned which = 0; which < KEYRINGS; which++)
        drop(task, which);
    key_release(__atomic_exchange_n(&task->given_session, TAKES_NONE, __ATOMIC_ACQ_REL));
}

static k42_result make(const char *text, uint32_t rights, bool free_of_charge, struct key **ring) {
    const struct credentials *who = task_self()->credentials;
    struct key_new new = {.type = &key_type_ring,
                          .text = text,
                          .uid = who->uid,
                          .gid = who->gid,
                          .rights = rights,
                          .flags = KEY_COUNTED,
                          .free_of_charge = free_of_charge};
    return key_make(&new, ring);
}

static k42_result make_for(unsigned which, struct key **ring) {
    return make(which == KEYRING_THREAD ? "_tid" : "_pid", KEY_RIGHTS(KEY_ALL, KEY_VIEW), true,
                ring);
}

/* A thread of one that has a ring of its own gets one as well; without memory, when it asks. */
void keys_inherit(struct task *from, struct task *task, bool same_process) {
    if (__atomic_load_n(&from->given_session, __ATOMIC_RELAXED)) {
        k42_lock(&keys_lock);
        session_of(from);
        k42_unlock(&keys_lock);
    }
    task->keyrings[KEYRING_SESSION] = key_hold(from->keyrings[KEYRING_SESSION]);
    task->key_default = from->key_default;
    if (!same_process)
        return;
    task->keyrings[KEYRING_PROCESS] = key_hold(from->keyrings[KEYRING_PROCESS]);
    if (!from->keyrings[KEYRING_THREAD])
        return;
    k42_lock(&keys_lock);
    (void)!make_for(KEYRING_THREAD, &task->keyrings[KEYRING_THREAD]);
    k42_unlock(&keys_lock);
}

k42_result key_task_ring(unsigned which) {
    struct task *task = task_self();
    if (task->keyrings[which])
        return 0;
    return make_for(which, &task->keyrings[which]);
}

k42_result key_join_session(const char *name) {
    struct task *task = task_self();
    uint32_t rights = KEY_RIGHTS(KEY_ALL, KEY_VIEW | KEY_READ);
    struct key *before = session_of(task), *ring = name ? keyring_by_name(name) : NULL;
    if (ring && ring == before) {
        key_release_locked(ring);
        return 0;
    }
    k42_result result = ring   ? 0
                        : name ? make(name, rights | KEY_RIGHTS(0, KEY_LINK), false, &ring)
                               : make("_ses", rights, !before, &ring);
    if (result < 0)
        return result;
    set(task, KEYRING_SESSION, ring);
    return ring->number;
}

bool key_may_give_session(const struct task *to, const struct key *session) {
    const struct credentials *own = task_self()->credentials;
    const struct credentials *its = __atomic_load_n(&to->credentials, __ATOMIC_ACQUIRE);
    const struct key *has = __atomic_load_n(&to->keyrings[KEYRING_SESSION], __ATOMIC_ACQUIRE);
    return its->uid == own->euid && its->euid == own->euid && its->suid == own->euid &&
           its->gid == own->egid && its->egid == own->egid && its->sgid == own->egid &&
           (!has || has->uid == own->euid) && session->uid == own->euid;
}

/* Its thread may end meanwhile: whoever comes second of the two lets go of the session. */
void key_give_session(struct task *to, struct key *session) {
    struct key *before =
        __atomic_exchange_n(&to->given_session, key_hold(session), __ATOMIC_ACQ_REL);
    if (before == TAKES_NONE) {
        __atomic_store_n(&to->given_session, TAKES_NONE, __ATOMIC_RELAXED);
        before = session;
    }
    key_release_locked(before);
}

/* There is one afterwards: the user's, unless there is to be one of its own. */
static k42_result need_session(unsigned how) {
    struct task *task = task_self();
    struct key_user *user;
    const struct key *session = session_of(task);
    if (session && !((how & KEY_MAKE) && (session->flags & KEY_OF_USER)))
        return 0;
    k42_result result = session ? 0 : key_user_rings(task->credentials->uid, &user);
    if (result < 0)
        return result;
    if (how & KEY_MAKE)
        return key_join_session(NULL);
    set(task, KEYRING_SESSION, key_hold(user->session));
    return 0;
}

/* ---- numbers ---- */

static k42_result find_special(int32_t number, unsigned how, struct key **key) {
    struct task *task = task_self();
    struct key_user *user;
    k42_result result = 0;
    switch (number) {
    case KEY_SPEC_THREAD_KEYRING:
    case KEY_SPEC_PROCESS_KEYRING:
        number = number == KEY_SPEC_THREAD_KEYRING ? KEYRING_THREAD : KEYRING_PROCESS;
        if (how & KEY_MAKE)
            result = key_task_ring((unsigned)number);
        *key = task->keyrings[number];
        break;
    case KEY_SPEC_SESSION_KEYRING:
        result = need_session(how);
        *key = task->keyrings[KEYRING_SESSION];
        break;
    case KEY_SPEC_USER_KEYRING:
    case KEY_SPEC_USER_SESSION_KEYRING:
        result = key_user_rings(task->credentials->uid, &user);
        if (result >= 0)
            *key = number == KEY_SPEC_USER_KEYRING ? user->ring : user->session;
        break;
    case KEY_SPEC_REQKEY_AUTH_KEY: /* nobody is asked to make one */
    case KEY_SPEC_REQUESTOR_KEYRING:
        return -ENOKEY;
    default:
        return -EINVAL;
    }
    return result < 0 ? result : *key ? 0 : -ENOKEY;
}

static bool is_possessed(const struct key *key) {
    struct key_search search = {.wanted = key};
    struct key_found found;
    k42_result result = key_search_own(&search, &found);
    if (result >= 0)
        key_release_locked(found.key);
    return result >= 0;
}

static k42_result check(const struct key_found *found, unsigned how, unsigned need) {
    if (how & (KEY_ANY | KEY_LATER))
        return 0;
    if (!(how & KEY_PARTIAL) && (found->key->flags & KEY_NEGATIVE))
        return -ENOKEY;
    k42_result result = key_check(found->key);
    return result < 0 ? result : key_allows(found->key, found->possessed, need);
}

k42_result key_lookup(int32_t number, unsigned how, unsigned need, struct key_found *found) {
    *found = (struct key_found){.possessed = number < 0};
    k42_result result = 0;
    keys_collect();
    if (number <= 0) {
        result = number ? find_special(number, how, &found->key) : -EINVAL;
        if (result >= 0)
            key_hold(found->key);
    } else {
        found->key = key_by_number(number);
        if (found->key)
            found->possessed = is_possessed(found->key);
        else
            result = -ENOKEY;
    }
    if (result < 0)
        return result;
    result = check(found, how, need);
    if (result < 0) {
        key_release_locked(found->key);
        found->key = NULL;
    }
    return result;
}

/* ---- all of them ---- */

/*
 * That one was not there, or is said to be nowhere, is what counts of several answers; what else
 * was wrong only if none could be searched.
 */
static void weigh(k42_result result, k42_result *none, k42_result *other) {
    if (result == -ENOKEY || (result == -EAGAIN && !*none))
        *none = result;
    else if (result != -EAGAIN)
        *other = result;
}

k42_result key_search_own(struct key_search *search, struct key_found *found) {
    struct task *task = task_self();
    k42_result none = 0, other = -EAGAIN;
    struct key *session = session_of(task), *key = NULL;
    const struct key_user *user = session ? NULL : key_user_get(task->credentials->uid);
    struct key *rings[] = {task->keyrings[KEYRING_THREAD], task->keyrings[KEYRING_PROCESS],
                           user ? user->session : session};
    for (unsigned n = 0; n < sizeof rings / sizeof *rings && !key; n++)
        if (rings[n] && !(key = keyring_search(rings[n], true, search)))
            weigh(search->result, &none, &other);
    *found = (struct key_found){.key = key_hold(key), .possessed = true};
    return key ? 0 : none ? none : other;
}

k42_result key_default_ring(struct key **ring) {
    struct task *task = task_self();
    struct key_user *user;
    struct key *own = NULL;
    session_of(task);
    unsigned which = task->key_default ? task->key_default : KEY_REQKEY_DEFL_THREAD_KEYRING;
    for (unsigned n = which; n <= KEY_REQKEY_DEFL_SESSION_KEYRING && !own; n++)
        own = task->keyrings[n - KEY_REQKEY_DEFL_THREAD_KEYRING];
    k42_result result = own ? 0 : key_user_rings(task->credentials->uid, &user);
    if (result >= 0 && !own)
        own = which == KEY_REQKEY_DEFL_USER_KEYRING ? user->ring : user->session;
    *ring = key_hold(own);
    return result;
}
