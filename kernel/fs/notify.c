/*
 * Watched nodes, in a table by ref. See notify.h.
 *
 * Who looks whether a node is watched takes no lock: records leave their bucket by one store and
 * are freed a grace period later. Notices are told under the bucket's lock, which also orders them
 * with the making and ending of watches: one that was ended is told nothing afterwards. There are
 * about as many buckets as there may be watched nodes, so a lock is a node's.
 *
 * A record holds its node and goes with its last watch; one of a node that lost its last name in a
 * watched directory keeps that name, and the directory, and goes when nobody else has the node.
 * Nodes are let go of with no lock held, since that may end them. Fails: -ENOMEM.
 */
#include "notify.h"

#include "open_file.h"
#include "platform.h"
#include "values.h"

#include <errno.h>
#include <k42/lock.h>
#include <string.h>

/* The name that a node had last. */
struct former {
    node_ref directory; /* held */
    struct k42_defer defer;
    uint32_t length;
    char text[];
};

struct watched {
    struct watched *next; /* in its bucket */
    node_ref node;        /* held */
    struct watch *first;
    struct former *former; /* set once; read without the lock */
    bool gone;             /* out of its bucket */
    struct k42_defer defer;
};

struct bucket {
    struct k42_lock lock;
    struct watched *first;
};

uint32_t notify_watched __attribute__((aligned(64)));
static struct bucket *buckets __attribute__((aligned(64)));
static unsigned shift;

k42_result notify_open(size_t nodes) {
    unsigned bits = 6;
    while (1ul << bits < nodes && bits < 24)
        bits++;
    buckets = k42_platform_alloc(sizeof *buckets << bits);
    shift = 32 - bits;
    return buckets ? 0 : -ENOMEM;
}

static struct bucket *bucket_of(k42_ref node) {
    return &buckets[k42_ref_id(node) * 0x9e3779b1u >> shift];
}

/* Without the lock: one that may be going. */
static struct watched *find(k42_ref node) {
    struct watched *at = __atomic_load_n(&bucket_of(node)->first, __ATOMIC_ACQUIRE);
    while (at && (k42_ref)at->node != node)
        at = __atomic_load_n(&at->next, __ATOMIC_ACQUIRE);
    return at;
}

/* ---- with the bucket's lock ---- */

static void end(struct watch *watch) {
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    watch->on = NULL;
    watch->ended(watch);
}

static void add(struct watched *watched, struct watch *watch) {
    watch->on = watched;
    watch->link = &watched->first;
    watch->next = watched->first;
    if (watch->next)
        watch->next->link = &watch->next;
    watched->first = watch;
}

/* What is to be dropped when it has no watch any more. */
static struct watched *take_idle(struct bucket *bucket, struct watched *watched) {
    if (watched->first || watched->former || watched->gone)
        return NULL;
    struct watched **link = &bucket->first;
    while (*link != watched)
        link = &(*link)->next;
    __atomic_store_n(link, watched->next, __ATOMIC_RELEASE);
    watched->gone = true;
    __atomic_sub_fetch(&notify_watched, 1, __ATOMIC_RELAXED);
    return watched;
}

static bool is_interested(const struct watch *watch, const struct notice *notice) {
    return (((watch->mask & NOTIFY_EVENTS) | NOTIFY_UNMOUNTED) & notice->what) &&
           !(notice->nameless && watch->named_only);
}

static void tell_all(struct watched *watched, const struct notice *notice) {
    for (struct watch *watch = watched->first, *next; watch; watch = next) {
        next = watch->next;
        if (!is_interested(watch, notice))
            continue;
        watch->tell(watch, notice);
        if (watch->once)
            end(watch);
    }
}

/* ---- records ---- */

static void free_watched(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct watched, defer));
}

static void free_former(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct former, defer));
}

static void drop_former(struct former *former) {
    if (!former)
        return;
    (void)!k42_call(former->directory, release);
    k42_defer(&former->defer, free_former);
}

static void drop(struct watched *watched) {
    if (!watched)
        return;
    (void)!k42_call(watched->node, release);
    k42_defer(&watched->defer, free_watched);
}

static void deliver(struct watched *watched, const struct notice *notice) {
    struct bucket *bucket = bucket_of((k42_ref)watched->node);
    k42_lock(&bucket->lock);
    tell_all(watched, notice);
    struct watched *idle = take_idle(bucket, watched);
    k42_unlock(&bucket->lock);
    drop(idle);
}

/* One that is not in the table yet. */
static k42_result make(k42_ref node, struct watched **made) {
    struct watched *watched = buckets ? k42_platform_alloc(sizeof *watched) : NULL;
    if (!watched)
        return -ENOMEM;
    watched->node = (node_ref)node;
    k42_result result = k42_call(watched->node, hold);
    if (result < 0) {
        k42_platform_free(watched);
        return result;
    }
    *made = watched;
    return 0;
}

static void put(struct bucket *bucket, struct watched *watched) {
    watched->next = bucket->first;
    __atomic_store_n(&bucket->first, watched, __ATOMIC_RELEASE);
    __atomic_add_fetch(&notify_watched, 1, __ATOMIC_SEQ_CST);
}

/* With the lock: the node's, which is the one that was made if there was none. */
static struct watched *find_or_put(struct bucket *bucket, struct watched **made) {
    struct watched *watched = find((k42_ref)(*made)->node);
    if (watched)
        return watched;
    watched = *made;
    *made = NULL;
    put(bucket, watched);
    return watched;
}

static struct watch *watch_of(struct watched *watched, const void *owner) {
    struct watch *at = watched->first;
    while (at && at->owner != owner)
        at = at->next;
    return at;
}

k42_result notify_watch(k42_ref node, struct watch *watch,
                        k42_result (*again)(struct watch *there, const struct watch *asked)) {
    struct watched *made;
    k42_result result = make(node, &made);
    if (result < 0)
        return result;
    struct bucket *bucket = bucket_of(node);
    k42_lock(&bucket->lock);
    struct watched *watched = find_or_put(bucket, &made);
    struct watch *there = watch_of(watched, watch->owner);
    if (there) {
        result = again(there, watch);
    } else {
        watch->node = node;
        add(watched, watch);
    }
    k42_unlock(&bucket->lock);
    drop(made);
    return result;
}

void notify_unwatch(struct watch *watch) {
    if (!watch->node)
        return;
    struct bucket *bucket = bucket_of(watch->node);
    struct watched *idle = NULL;
    k42_lock(&bucket->lock);
    struct watched *watched = watch->on;
    if (watched) {
        end(watch);
        idle = take_idle(bucket, watched);
    }
    k42_unlock(&bucket->lock);
    drop(idle);
}

/* ---- notices ---- */

void notify_self(node_ref node, uint32_t what) {
    struct watched *watched = find((k42_ref)node);
    struct notice notice = {.what = what};
    if (watched)
        deliver(watched, &notice);
}

void notify_name(node_ref directory, const struct node_name *name, uint32_t what, uint32_t cookie) {
    struct watched *watched = find((k42_ref)directory);
    struct notice notice = {.what = what, .cookie = cookie, .name = name};
    if (watched)
        deliver(watched, &notice);
}

/* The name it has, or had last, and who watches that directory. */
static struct watched *find_above(node_ref node, const struct watched *watched, char *text,
                                  struct node_name *name) {
    struct k42_pair above = k42_call(node, name, text, NODE_NAME_MAX + 1);
    const struct former *former =
        watched ? __atomic_load_n(&watched->former, __ATOMIC_ACQUIRE) : NULL;
    if (above.result >= 0) {
        *name = (struct node_name){.text = text, .length = (uint32_t)above.result};
        return find((k42_ref)above.word);
    }
    if (!former)
        return NULL;
    *name = (struct node_name){.text = former->text, .length = former->length};
    return find((k42_ref)former->directory);
}

/* The directory is told first, as on Linux. */
static void tell_both(node_ref node, uint32_t what, bool is_use) {
    char text[NODE_NAME_MAX + 1];
    struct node_attributes attributes;
    struct node_name name;
    struct watched *watched = find((k42_ref)node);
    struct watched *directory = find_above(node, watched, text, &name);
    if ((!directory && !watched) || k42_call(node, attributes, &attributes) < 0)
        return;
    struct notice notice = {.what = what, .name = &name, .nameless = is_use && !attributes.links};
    if ((attributes.mode & MODE_TYPE) == MODE_DIRECTORY)
        notice.what |= NOTIFY_DIRECTORY;
    if (directory)
        deliver(directory, &notice);
    notice.name = NULL;
    if (watched)
        deliver(watched, &notice);
}

void notify_node(node_ref node, uint32_t what) {
    tell_both(node, what, false);
}

void notify_use(node_ref node, uint32_t what) {
    tell_both(node, what, true);
}

void notify_file(file_ref file, uint32_t what) {
    struct k42_pair node = k42_call(file, node);
    k42_result flags = k42_call(file, flags);
    if (node.result >= 0 && node.word && flags >= 0 && !(flags & OPEN_PATH))
        notify_use((node_ref)node.word, what);
}

static struct former *make_former(node_ref directory, const struct node_name *name) {
    struct former *former = k42_platform_alloc(sizeof *former + name->length);
    if (!former)
        return NULL;
    former->directory = directory;
    former->length = name->length;
    memcpy(former->text, name->text, name->length);
    if (k42_call(directory, hold) >= 0)
        return former;
    k42_platform_free(former);
    return NULL;
}

/* Without memory the directory is not told of it any more. */
void notify_name_lost(node_ref node, node_ref directory, const struct node_name *name) {
    struct node_attributes attributes;
    struct watched *made;
    if (!find((k42_ref)directory) || k42_call(node, attributes, &attributes) < 0 ||
        attributes.links)
        return;
    struct former *former = make_former(directory, name);
    if (!former || make((k42_ref)node, &made) < 0) {
        drop_former(former);
        return;
    }
    struct bucket *bucket = bucket_of((k42_ref)node);
    k42_lock(&bucket->lock);
    struct watched *watched = find_or_put(bucket, &made);
    if (!watched->former) {
        __atomic_store_n(&watched->former, former, __ATOMIC_RELEASE);
        former = NULL;
    }
    k42_unlock(&bucket->lock);
    drop_former(former);
    drop(made);
}

uint32_t notify_cookie(void) {
    static uint32_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

/* The last notice. */
static void end_all(struct watched *watched, uint32_t what) {
    struct bucket *bucket = bucket_of((k42_ref)watched->node);
    struct notice notice = {.what = what};
    k42_lock(&bucket->lock);
    tell_all(watched, &notice);
    while (watched->first)
        end(watched->first);
    struct former *former = watched->former;
    watched->former = NULL;
    struct watched *idle = take_idle(bucket, watched);
    k42_unlock(&bucket->lock);
    drop(idle);
    drop_former(former);
}

/*
 * Two who let go of the last but one hold at the same time both may come here; the second finds
 * nothing. Nobody can get at the node any more but who found it before, as on Linux.
 */
void notify_left(k42_ref node) {
    struct watched *watched = find(node);
    if (watched)
        end_all(watched, NOTIFY_SELF_REMOVED);
}

static bool is_of(const struct watched *watched, uint64_t device, uint32_t *what) {
    struct node_attributes attributes;
    if (k42_call(watched->node, attributes, &attributes) < 0 || attributes.device != device)
        return false;
    bool is_directory = (attributes.mode & MODE_TYPE) == MODE_DIRECTORY;
    *what = NOTIFY_UNMOUNTED | (is_directory ? NOTIFY_DIRECTORY : 0u);
    return true;
}

void notify_unmounted(node_ref root) {
    struct node_attributes attributes;
    uint32_t what;
    if (k42_call(root, attributes, &attributes) < 0)
        return;
    for (size_t n = 0; n <= ~0u >> shift; n++)
        for (struct watched *watched = __atomic_load_n(&buckets[n].first, __ATOMIC_ACQUIRE);
             watched; watched = __atomic_load_n(&watched->next, __ATOMIC_ACQUIRE))
            if (is_of(watched, attributes.device, &what))
                end_all(watched, what);
}
