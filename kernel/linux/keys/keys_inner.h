/*
 * What the parts of the keys share. See keys.h.
 *
 * Locking: keys_lock guards keys, rings and users, and is a leaf; memory is allocated with it held.
 * References are counted without: who has one may take another, and the last that goes takes the
 * lock to end the key. A task's own rings are its thread's.
 */
#ifndef KERNEL_LINUX_KEYS_INNER_H
#define KERNEL_LINUX_KEYS_INNER_H

#include "../task.h"
#include "keys.h"

#include <errno.h>
#include <k42/lock.h>

extern struct k42_lock keys_lock;

/* ---- keys ---- */

enum {
    KEY_TYPE_MOST = 32,
    KEY_TEXT_MOST = 4096,
    KEY_BYTES_MOST = 32767,
    KEY_LINK_COST = 4,
};

/* What it takes to do something with a key, in each of the four bytes of its rights. */
enum { KEY_VIEW = 1, KEY_READ = 2, KEY_WRITE = 4, KEY_SEARCH = 8, KEY_LINK = 16, KEY_CHANGE = 32 };
enum { KEY_ALL = 63 };
#define KEY_RIGHTS(possessor, user) ((uint32_t)(possessor) << 24 | (uint32_t)(user) << 16)

enum key_flags {
    KEY_REVOKED = 1,
    KEY_INVALID = 2,  /* and out of all rings */
    KEY_NEGATIVE = 4, /* it says that there is none */
    KEY_COUNTED = 8,  /* in its user's quota */
    KEY_CLOSED = 16,  /* a ring that takes no more */
    KEY_OF_USER = 32, /* a ring that its user has in any case */
};

struct key_type {
    const char *name;
    bool has_bytes, reads, is_ring;
};
/* NULL: there is no such type. */
const struct key_type *key_type_find(const char *name);
extern const struct key_type key_type_ring;

struct key_bytes {
    uint32_t length;
    char at[];
};

struct key_link {
    struct key *ring, *key;         /* key: held */
    struct key_link *next, **place; /* in the ring's list */
    struct key_link *also, **among; /* of those that lead to the key */
};

struct key {
    struct key *next;    /* at the same hash of its number */
    struct key *after;   /* once nobody has it: which one ends next */
    uint32_t references; /* atomic */
    int32_t number;
    const struct key_type *type;
    uint32_t uid, gid, rights, flags;
    uint64_t expires_ns;    /* 0: never */
    uint64_t revoked_ns;    /* 0: it has not been */
    struct key_user *user;  /* whose quota it is in */
    uint32_t cost, length;  /* in that, all together and of what it has */
    struct key_link *links; /* that lead to it */
    struct key_bytes *bytes;
    struct key_link **list; /* of a ring: by hash */
    uint32_t lists, count;
    uint32_t hash; /* of its text */
    char text[];
};

/* What a new one is to be. */
struct key_new {
    const struct key_type *type;
    const char *text;
    uint32_t uid, gid, rights, flags;
    bool free_of_charge; /* counted, but not refused */
};

/* With one reference, out of all rings. Errors: -EDQUOT, -ENOMEM, -EINVAL (the text). */
K42_MUST_CHECK
k42_result key_make(const struct key_new *new, struct key **key);
struct key *key_hold(struct key *key);
/* With the lock, which may be the last. */
void key_release_locked(struct key *key);
/* Without. NULL: nothing. */
void key_release(struct key *key);
/* With one reference more, or NULL. */
struct key *key_by_number(int32_t number);
/* The first, by number; the next one. With the lock. */
struct key *key_next(const struct key *key);

/* 0, -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. */
K42_MUST_CHECK
k42_result key_check(const struct key *key);
/* -EACCES. */
K42_MUST_CHECK
k42_result key_allows(const struct key *key, bool possessed, unsigned need);
/* What it has becomes so long, in its user's quota. -EDQUOT. */
K42_MUST_CHECK
k42_result key_charge(struct key *key, uint32_t length);
/* Takes what it has, which is then free of rights: bytes, or links. */
void key_revoke(struct key *key);
/* Takes it out of all rings. */
void key_invalidate(struct key *key);
void key_expires_in(struct key *key, uint32_t seconds);
/* Those that were revoked or have expired five minutes ago leave their rings, and end with that. */
void keys_collect(void);
/* Moves it to another user's quota. -EDQUOT, -ENOMEM. */
K42_MUST_CHECK
k42_result key_change_user(struct key *key, uint32_t uid);
/* The rights of a new key of a type. */
uint32_t key_usual_rights(const struct key_type *type);

/* ---- payloads ---- */

/* Whether a type takes these bytes: -EINVAL. */
K42_MUST_CHECK
k42_result key_bytes_fit(const struct key_type *type, const struct key_bytes *bytes);
/* Gives them to a key, which gets those that it had: its own, to be freed. -EDQUOT. */
K42_MUST_CHECK
k42_result key_exchange_bytes(struct key *key, struct key_bytes **bytes);

/* ---- users ---- */

struct key_user {
    struct key_user *next;
    uint32_t uid;
    uint32_t keys, counted;               /* of them; in the quota */
    uint32_t cost;                        /* of those */
    struct key *ring, *session, *lasting; /* held, or NULL */
};

/* NULL: no memory. Users stay. */
struct key_user *key_user_get(uint32_t uid);
struct key_user *key_user_next(const struct key_user *user);
uint32_t key_user_keys_most(uint32_t uid);
uint32_t key_user_cost_most(uint32_t uid);
/* His two rings. Errors: those of key_make(). */
K42_MUST_CHECK
k42_result key_user_rings(uint32_t uid, struct key_user **user);
/* The ring that outlasts his sessions. */
K42_MUST_CHECK
k42_result key_user_lasting(uint32_t uid, struct key **key);

/* ---- rings; all with the lock ---- */

/* The key of this type and description in a ring, or NULL. */
struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *text);
/* Adds a key, in place of the one that is called the same. Errors: -ENOTDIR, -EPERM, -EDQUOT,
 * -ENOMEM, -EDEADLK, -ELOOP. */
K42_MUST_CHECK
k42_result keyring_add(struct key *ring, struct key *key);
/* Errors: -ENOTDIR, -ENOENT. */
K42_MUST_CHECK
k42_result keyring_remove(struct key *ring, struct key *key);
void keyring_clear(struct key *ring);
void keyring_unlink(struct key_link *link);
bool keyring_has(const struct key *ring, const struct key *key);
/* Numbers of its keys, as many as there is room for; returns how many there are. */
uint32_t keyring_list(const struct key *ring, int32_t *numbers, uint32_t room);
/* The first ring of that name that the caller may search, or NULL. */
struct key *keyring_by_name(const char *text);

struct key_search {
    const struct key_type *type;
    const char *text;
    const struct key *wanted; /* this one alone, in whatever state, or NULL */
    bool skips_expired;
    bool finds_loops; /* whoever may search what */
    k42_result result;
};

/* In a ring and those in it. The key, not held, or NULL with what was wrong in `result`. */
struct key *keyring_search(struct key *ring, bool possessed, struct key_search *search);

/* ---- the caller's; all with the lock ---- */

enum key_lookup { KEY_MAKE = 1 /* special rings */, KEY_PARTIAL = 2, KEY_ANY = 4, KEY_LATER = 8 };

struct key_found {
    struct key *key; /* held */
    bool possessed;
};

/*
 * The key that a number means to the caller, if he may do with it what he needs to. KEY_PARTIAL:
 * also one that says that there is none; KEY_ANY: whatever its state and rights; KEY_LATER: its
 * rights are asked for later. Errors: -ENOKEY, -EACCES, -EINVAL, -EKEYREVOKED, -EKEYEXPIRED.
 */
K42_MUST_CHECK
k42_result key_lookup(int32_t number, unsigned how, unsigned need, struct key_found *found);
/* Through all rings of the caller. 0, or what Linux says. */
K42_MUST_CHECK
k42_result key_search_own(struct key_search *search, struct key_found *found);
/* A new session, or the one of that name: its number. */
K42_MUST_CHECK
k42_result key_join_session(const char *name);
/* The ring into which what is asked for goes if nothing is said; held. */
K42_MUST_CHECK
k42_result key_default_ring(struct key **ring);
/* Whether a task may be given the caller's session, and that, as soon as it looks. */
bool key_may_give_session(const struct task *to, const struct key *session);
void key_give_session(struct task *to, struct key *session);
/* Sees to it that there is one. */
K42_MUST_CHECK
k42_result key_task_ring(unsigned which);

/* ---- texts of programs ---- */

/* A type's name. -EFAULT, -EINVAL, -EPERM. */
K42_MUST_CHECK
k42_result key_read_type(char *type, uintptr_t from);
/* A copy, to be freed with heap_free(). -EFAULT, -EINVAL (too long), -ENOMEM. */
K42_MUST_CHECK
k42_result key_read_text(char **text, uintptr_t from);
/* Likewise. NULL for none. */
K42_MUST_CHECK
k42_result key_read_bytes(struct key_bytes **bytes, uintptr_t from, size_t length);

#endif
