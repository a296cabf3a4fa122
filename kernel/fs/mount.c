/*
 * The table of mounts. See mount.h for who may do what.
 *
 * A chain of a bucket is changed by single stores, so a reader sees it before or after; a mount
 * that left keeps its `next` until it is freed.
 */
#include "mount.h"

#include "notify.h"
#include "runtime.h"

#include <errno.h>

enum { BUCKETS = 64 };

static struct {
    struct k42_lock lock;
    uint32_t last_id;
    struct mount *bucket[BUCKETS];
    struct mount *first, *oldest, *newest;
} mounts;

static struct mount **bucket_of(const struct mount *mount, node_ref node) {
    uint32_t hash = (k42_id_of(node) ^ mount->id << 16) * 0x9e3779b1u;
    return &mounts.bucket[hash >> 26];
}

struct mount *mount_find(const struct mount *mount, node_ref node) {
    struct mount *at = __atomic_load_n(bucket_of(mount, node), __ATOMIC_ACQUIRE);
    while (at && (at->parent != mount || at->point != node))
        at = __atomic_load_n(&at->next, __ATOMIC_ACQUIRE);
    return at;
}

struct mount *mount_first(void) {
    return __atomic_load_n(&mounts.first, __ATOMIC_ACQUIRE);
}

bool mount_hold(struct mount *mount) {
    uint32_t references = __atomic_load_n(&mount->references, __ATOMIC_RELAXED);
    while (references)
        if (__atomic_compare_exchange_n(&mount->references, &references, references + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

static void free_mount(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct mount, defer));
}

/* Whether there is another mount of the same file system. */
static bool is_mounted_elsewhere(const struct mount *mount) {
    struct node_attributes own, other;
    bool found = k42_call(mount->root, attributes, &own) < 0;
    for (struct mount *at = mount_next(0); at && !found; at = mount_next(at->id))
        found = k42_call(at->root, attributes, &other) >= 0 && other.device == own.device;
    return found;
}

void mount_release(struct mount *mount) {
    if (__atomic_sub_fetch(&mount->references, 1, __ATOMIC_ACQ_REL))
        return;
    if (notify_any() && !is_mounted_elsewhere(mount))
        notify_unmounted(mount->root);
    (void)k42_call(mount->root, release);
    k42_defer(&mount->defer, free_mount);
}

/* ---- under the lock ---- */

static void attach(struct mount *mount, struct mount *parent, node_ref point) {
    mount->point = point;
    __atomic_store_n(&mount->parent, parent, __ATOMIC_RELEASE);
    if (parent) {
        struct mount **bucket = bucket_of(parent, point);
        mount->next = *bucket;
        __atomic_store_n(bucket, mount, __ATOMIC_RELEASE);
        __atomic_store_n(&parent->mounts, parent->mounts + 1, __ATOMIC_RELAXED);
    }
}

static void unchain(struct mount *mount) {
    struct mount **at = bucket_of(mount->parent, mount->point);
    while (*at != mount)
        at = &(*at)->next;
    __atomic_store_n(at, mount->next, __ATOMIC_RELEASE);
    __atomic_store_n(&mount->parent->mounts, mount->parent->mounts - 1, __ATOMIC_RELAXED);
}

static void list_add(struct mount *mount) {
    mount->attached = true;
    mount->id = ++mounts.last_id;
    mount->older = mounts.newest;
    *(mounts.newest ? &mounts.newest->newer : &mounts.oldest) = mount;
    mounts.newest = mount;
}

static void list_remove(struct mount *mount) {
    mount->attached = false;
    *(mount->older ? &mount->older->newer : &mounts.oldest) = mount->newer;
    *(mount->newer ? &mount->newer->older : &mounts.newest) = mount->older;
}

/* ---- changes ---- */

static struct mount *mount_make(const struct mount_new *what) {
    struct mount *mount = k42_platform_alloc(sizeof(*mount));
    if (!mount)
        return NULL;
    mount->root = what->root;
    mount->flags = what->flags;
    mount->references = 1;
    k42_copy_text(mount->type, sizeof mount->type, what->type);
    k42_copy_text(mount->source, sizeof mount->source, what->source);
    return mount;
}

k42_result mount_add(const struct place *at, const struct mount_new *what, struct mount **made) {
    k42_result result = at ? place_hold(at) : 0;
    if (result < 0)
        return -ENOENT;
    struct mount *mount = mount_make(what);
    result = mount ? 0 : -ENOMEM;
    if (result == 0) {
        k42_lock(&mounts.lock);
        if (at ? !at->mount->attached : !!mounts.first) {
            result = at ? -ENOENT : -EBUSY;
        } else {
            list_add(mount);
            attach(mount, at ? at->mount : NULL, at ? at->node : (node_ref)K42_NULL_REF);
            if (!at)
                __atomic_store_n(&mounts.first, mount, __ATOMIC_RELEASE);
        }
        k42_unlock(&mounts.lock);
    }
    if (result < 0) {
        k42_platform_free(mount);
        if (at)
            place_release(at);
        return result;
    }
    if (made)
        *made = mount;
    return 0;
}

k42_result mount_make_loose(const struct mount_new *what, struct mount **made) {
    *made = mount_make(what);
    if (!*made)
        return -ENOMEM;
    (*made)->loose = true;
    return 0;
}

static bool is_below(const struct mount *mount, const struct mount *above) {
    while (mount && mount != above)
        mount = mount->parent;
    return mount;
}

/* One that nothing is mounted on, of those below a mount and itself. */
static struct mount *leaf_of(struct mount *mount) {
    struct mount *at = mounts.newest;
    while (at->mounts || !is_below(at, mount))
        at = at->older;
    return at;
}

/* Takes a mount away, or with `detach` one of those below it before. Which one, in *taken. */
static k42_result remove_one(struct mount *mount, bool detach, struct mount **taken) {
    struct place point = {0};
    k42_result result = 0;
    k42_lock(&mounts.lock);
    if (!mount->attached || mount == mounts.first) {
        result = -EINVAL;
    } else if (!detach &&
               (mount->mounts || __atomic_load_n(&mount->references, __ATOMIC_ACQUIRE) > 1)) {
        result = -EBUSY;
    } else {
        *taken = mount = detach ? leaf_of(mount) : mount;
        point = (struct place){mount->parent, mount->point};
        unchain(mount);
        list_remove(mount);
        __atomic_store_n(&mount->parent, NULL, __ATOMIC_RELEASE);
    }
    k42_unlock(&mounts.lock);
    if (result < 0)
        return result;
    place_release(&point);
    mount_release(mount);
    return 0;
}

/* What is mounted below goes first. */
k42_result mount_remove(struct mount *mount, bool detach) {
    struct mount *taken = NULL;
    k42_result result;
    do
        result = remove_one(mount, detach, &taken);
    while (result >= 0 && taken != mount);
    return result;
}

/* Where it stands it does so no more; one that stood nowhere has a reference more from now on. */
static void leave_or_begin(struct mount *mount) {
    if (!mount->loose) {
        unchain(mount);
        return;
    }
    mount->loose = false;
    __atomic_add_fetch(&mount->references, 1, __ATOMIC_RELAXED);
    list_add(mount);
}

k42_result mount_move(struct mount *mount, const struct place *to) {
    struct place before = {0};
    k42_result result = place_hold(to);
    if (result < 0)
        return -ENOENT;
    k42_lock(&mounts.lock);
    if ((!mount->loose && !mount->parent) || !to->mount->attached)
        result = -EINVAL;
    for (struct mount *above = to->mount; above; above = above->parent)
        if (above == mount)
            result = -ELOOP;
    if (result == 0) {
        before = (struct place){mount->parent, mount->point};
        leave_or_begin(mount);
        attach(mount, to->mount, to->node);
    }
    k42_unlock(&mounts.lock);
    if (result < 0)
        place_release(to);
    else if (before.mount)
        place_release(&before);
    return result;
}

/* The hold of where the root stood becomes the new one's. */
k42_result mount_pivot(struct mount *root, struct mount *new, const struct place *old) {
    struct place before = {0};
    if (place_hold(old) < 0)
        return -ENOENT;
    k42_lock(&mounts.lock);
    bool may = root->parent && new->parent && old->mount->attached &&new != root &&
               old->mount != root &&is_below(old->mount, new) && is_below(new, root);
    if (may) {
        struct place top = {root->parent, root->point};
        before = (struct place){new->parent, new->point};
        unchain(new);
        unchain(root);
        attach(root, old->mount, old->node);
        attach(new, top.mount, top.node);
    }
    k42_unlock(&mounts.lock);
    place_release(may ? &before : old);
    return may ? 0 : -EINVAL;
}

struct mount *mount_next(uint32_t id) {
    k42_lock(&mounts.lock);
    struct mount *mount = mounts.oldest;
    while (mount && mount->id <= id)
        mount = mount->newer;
    k42_unlock(&mounts.lock);
    return mount;
}

void mount_change_flags(struct mount *mount, unsigned clear, unsigned set) {
    uint32_t flags = __atomic_load_n(&mount->flags, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&mount->flags, &flags, (flags & ~clear) | set, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}
