/*
 * The table of leases. See leases.h.
 *
 * A lease is an open file's; those of one node are in one bucket. One is to be given up when it is
 * in somebody's way: its owner is told once, and from then on it has until `until_none`, or, where
 * to share it is enough, `until_read`. Whoever looks at a node's leases ends those whose time is
 * over.
 *
 * Whether a file is open in a way that forbids a lease its node's claims say, which are asked
 * without the lock. So a lease is entered first, as one that is being settled, and counted in
 * `leases_there` before that; then the claims are looked at. Who opens the file has claimed it
 * before he looks at that word, both with full barriers: so he finds the lease, or who wants it
 * finds the claim. What he finds unsettled he waits for.
 *
 * Locking: a bucket's; inside it that of owners (owners.c). Waits at the node, with a key of ours.
 * Fails: -ENOMEM.
 */
#include "leases.h"

#include "../clocks.h"
#include "files.h"
#include "owners.h"
#include "platform.h"

#include <k42/lock.h>

enum { BUCKETS = 256, KEY_LEASES = 0x1ea5e, AT_A_TIME = 16 };

/* F_RDLCK, F_WRLCK, F_UNLCK */
enum { LEASE_READ, LEASE_WRITE, LEASE_NONE };

struct lease {
    struct lease *next;
    k42_id node, file;
    int fd; /* what its owner is told of */
    int type;
    bool settling;
    uint64_t until_read, until_none; /* 0: nobody wants that */
};

static struct bucket {
    struct k42_lock lock;
    struct lease *first;
} buckets[BUCKETS];

uint32_t leases_there;
struct lease_settings lease_settings = {45, 1};

static struct bucket *bucket_of(k42_id node) {
    return &buckets[(node * 0x9e3779b1u >> 16) % BUCKETS];
}

static void count(int change) {
    __atomic_add_fetch(&leases_there, (uint32_t)change, __ATOMIC_SEQ_CST);
}

static void tell_waiters(k42_id node) {
    (void)wait_notify(node, KEY_LEASES, WAIT_READ, WAIT_ALL);
}

/* ---- with the lock ---- */

/* The link to a file's lease, or to where the list ends. */
static struct lease **find(struct bucket *bucket, k42_id file) {
    struct lease **link = &bucket->first;
    while (*link && (*link)->file != file)
        link = &(*link)->next;
    return link;
}

static void take_out(struct lease **link) {
    struct lease *lease = *link;
    *link = lease->next;
    count(-1);
    tell_waiters(lease->node);
    k42_platform_free(lease);
}

/* As on Linux the file has no owner any more then, nor a signal. */
static void give_up(struct lease **link) {
    owner_forget((*link)->file);
    take_out(link);
}

static void become(struct lease *lease, int type) {
    lease->type = type;
    if (type == LEASE_READ)
        lease->until_read = 0;
    tell_waiters(lease->node);
}

static bool is_over(uint64_t until) {
    return until && until != WAIT_FOREVER && !clocks_left(until);
}

/* Ends those whose time is over, and says whether one of the node is being settled. */
static bool look(struct bucket *bucket, k42_id node) {
    bool settling = false;
    for (struct lease **link = &bucket->first, *lease; (lease = *link);) {
        bool goes = lease->node == node && !lease->settling && is_over(lease->until_none);
        if (!goes && lease->node == node && is_over(lease->until_read))
            become(lease, LEASE_READ);
        settling |= lease->node == node && lease->settling;
        if (goes)
            give_up(link);
        else
            link = &lease->next;
    }
    return settling;
}

static k42_result wait_for_settling(struct bucket *bucket, k42_id node) {
    k42_result result = wait_on(node, KEY_LEASES, WAIT_READ);
    k42_unlock(&bucket->lock);
    return result;
}

/* ---- breaking ---- */

struct breaking {
    bool writes;
    uint64_t deadline;         /* when the time of one that is in the way is over */
    unsigned conflicts, count; /* in the way; of them, to be told */
    struct {
        k42_id file;
        int fd;
    } told[AT_A_TIME];
};

static uint64_t *limit_of(struct lease *lease, const struct breaking *breaking) {
    return breaking->writes || lease->until_none ? &lease->until_none : &lease->until_read;
}

static void note(struct breaking *breaking, struct lease *lease) {
    uint32_t seconds = __atomic_load_n(&lease_settings.seconds, __ATOMIC_RELAXED);
    uint64_t *until = limit_of(lease, breaking);
    breaking->conflicts++;
    if (!*until && breaking->count < AT_A_TIME) {
        breaking->told[breaking->count].file = lease->file;
        breaking->told[breaking->count++].fd = lease->fd;
        *until = seconds ? clocks_after(seconds * NS_PER_SECOND) : WAIT_FOREVER;
    }
    if (*until && *until < breaking->deadline)
        breaking->deadline = *until;
}

/* Some of those in the way; -K42_WAIT: one is being settled. */
static k42_result break_some(k42_id node, struct breaking *breaking) {
    struct bucket *bucket = bucket_of(node);
    breaking->conflicts = breaking->count = 0;
    breaking->deadline = WAIT_FOREVER;
    k42_lock(&bucket->lock);
    if (look(bucket, node))
        return wait_for_settling(bucket, node);
    for (struct lease *lease = bucket->first; lease; lease = lease->next)
        if (lease->node == node && (breaking->writes || lease->type == LEASE_WRITE))
            note(breaking, lease);
    k42_unlock(&bucket->lock);
    return 0;
}

k42_result leases_break_now(k42_id node, unsigned flags) {
    static const struct owner_news broken = {.code = 3 /* POLL_MSG */, .band = 0x441};
    struct breaking breaking = {.writes = (flags & OPEN_ACCESS) != OPEN_READ_ONLY};
    do {
        k42_result result = break_some(node, &breaking);
        if (result < 0)
            return result;
        for (unsigned n = 0; n < breaking.count; n++)
            owner_tell(breaking.told[n].file, breaking.told[n].fd, &broken);
    } while (breaking.count == AT_A_TIME);
    if (!breaking.conflicts)
        return 0;
    if (flags & OPEN_NON_BLOCKING)
        return -EWOULDBLOCK;
    return wait_on_until(node, KEY_LEASES, WAIT_READ, breaking.deadline);
}

/* ---- asking for one ---- */

struct asked {
    file_ref file;
    node_ref node;
    int fd, type;
};

/* What is open otherwise than by this file: -EAGAIN. */
static k42_result check_claims(const struct asked *asked) {
    struct node_claims claims;
    k42_result flags = k42_call(asked->file, flags);
    k42_result result = flags < 0 ? flags : k42_call(asked->node, claims, &claims);
    if (result < 0)
        return result;
    if (asked->type == LEASE_READ)
        return claims.writers > 0 ? -EAGAIN : 0;
    int32_t writes = open_writes((unsigned)flags), reads = !writes && open_reads((unsigned)flags);
    bool is_alone = claims.writers == writes && claims.readers == (uint32_t)reads;
    return is_alone ? 0 : -EAGAIN;
}

/* With the lock: what other files have does not go with it. */
static bool others_forbid(const struct bucket *bucket, const struct asked *asked) {
    const struct lease *lease = bucket->first;
    for (; lease; lease = lease->next)
        if (lease->node == k42_id_of(asked->node) && lease->file != k42_id_of(asked->file) &&
            (asked->type == LEASE_WRITE || lease->until_none))
            return true;
    return false;
}

/* The file's lease, which is being settled now; a new one is `made`, which is taken over then. */
static k42_result enter(const struct asked *asked, struct lease **made) {
    k42_id node = k42_id_of(asked->node);
    struct bucket *bucket = bucket_of(node);
    k42_lock(&bucket->lock);
    if (look(bucket, node))
        return wait_for_settling(bucket, node);
    struct lease **link = find(bucket, k42_id_of(asked->file));
    k42_result result = 0;
    if (others_forbid(bucket, asked))
        result = -EAGAIN;
    else if (!*link && !__atomic_load_n(&lease_settings.enabled, __ATOMIC_RELAXED))
        result = -EINVAL;
    if (result >= 0 && !*link) {
        count(1);
        *link = *made;
        *made = NULL;
    }
    if (result >= 0)
        (*link)->settling = true;
    k42_unlock(&bucket->lock);
    return result;
}

/* It has its type now, or, when that may not be, what it was. */
static void settle(const struct asked *asked, bool may_be) {
    struct bucket *bucket = bucket_of(k42_id_of(asked->node));
    k42_lock(&bucket->lock);
    struct lease **link = find(bucket, k42_id_of(asked->file));
    (*link)->settling = false;
    if (may_be)
        become(*link, asked->type);
    if ((*link)->type == LEASE_NONE)
        take_out(link);
    else
        tell_waiters(k42_id_of(asked->node));
    k42_unlock(&bucket->lock);
}

static k42_result set_now(const struct asked *asked) {
    k42_result result = check_claims(asked);
    if (result < 0)
        return result;
    struct lease *made = k42_platform_alloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    *made = (struct lease){.node = k42_id_of(asked->node),
                           .file = k42_id_of(asked->file),
                           .fd = asked->fd,
                           .type = LEASE_NONE};
    owners_mind_ends();
    result = enter(asked, &made);
    k42_platform_free(made);
    if (result < 0)
        return result;
    result = owner_become(k42_id_of(asked->file));
    if (result >= 0)
        result = check_claims(asked);
    settle(asked, result >= 0);
    return result;
}

static k42_result end_now(const struct asked *asked) {
    struct bucket *bucket = bucket_of(k42_id_of(asked->node));
    k42_lock(&bucket->lock);
    if (look(bucket, k42_id_of(asked->node)))
        return wait_for_settling(bucket, k42_id_of(asked->node));
    struct lease **link = find(bucket, k42_id_of(asked->file));
    bool is_there = *link;
    if (is_there)
        give_up(link);
    k42_unlock(&bucket->lock);
    return is_there ? 0 : -EAGAIN;
}

/* It is the caller's file, or he may do so to all. */
static k42_result may_lease(struct asked *asked) {
    struct node_attributes attributes;
    struct k42_pair node = k42_call(asked->file, node);
    asked->node = (node_ref)node.word;
    if (node.result < 0 || !node.word)
        return node.result < 0 ? node.result : -EINVAL;
    k42_result result = k42_call(asked->node, attributes, &attributes);
    if (result < 0)
        return result;
    if (attributes.uid != task_self()->credentials->fsuid && !files_may(CAPABILITY_LEASE))
        return -EACCES;
    return (attributes.mode & MODE_TYPE) == MODE_REGULAR ? 0 : -EINVAL;
}

k42_result lease_set(file_ref file, int fd, int type) {
    struct asked asked = {.file = file, .fd = fd, .type = type};
    k42_result result;
    if (type != LEASE_READ && type != LEASE_WRITE && type != LEASE_NONE)
        return -EINVAL;
    FILES_CALL(result, may_lease(&asked));
    if (result < 0)
        return result;
    if (type == LEASE_NONE) {
        FILES_CALL(result, end_now(&asked));
        return result;
    }
    FILES_CALL(result, set_now(&asked));
    if (result == -EAGAIN) {
        files_wait_for_ended();
        FILES_CALL(result, set_now(&asked));
    }
    return result;
}

k42_result lease_get(file_ref file) {
    struct k42_pair node = k42_call(file, node);
    if (node.result < 0 || !node.word || !__atomic_load_n(&leases_there, __ATOMIC_RELAXED))
        return node.result < 0 ? node.result : LEASE_NONE;
    k42_id id = k42_id_of((node_ref)node.word);
    struct bucket *bucket = bucket_of(id);
    k42_lock(&bucket->lock);
    (void)look(bucket, id);
    const struct lease *lease = *find(bucket, k42_id_of(file));
    k42_result type = !lease || lease->until_none ? LEASE_NONE
                      : lease->until_read         ? LEASE_READ
                                                  : lease->type;
    k42_unlock(&bucket->lock);
    return type;
}

void leases_end(k42_id file, k42_id node) {
    if (!__atomic_load_n(&leases_there, __ATOMIC_RELAXED))
        return;
    struct bucket *bucket = bucket_of(node);
    k42_lock(&bucket->lock);
    struct lease **link = find(bucket, file);
    if (*link)
        take_out(link);
    k42_unlock(&bucket->lock);
}
