/*
 * Each change once for each call of a program.
 *
 * A call is made again until nothing in it waits any more, and may wait for other things after its
 * change is over. So a result stays when it was fetched and is given again; and until the call has
 * ended, that is, for the same number, names are as they were before its change: whoever looks
 * first whether a name is free finds it free at each attempt. A thread that begins another call has
 * ended the one before (one that waits for a page inside another changes nothing), so its next
 * change frees its last ones; those of threads that make no other are freed when they are old.
 * There are no more of them than threads, and each thread's are in one of many lists.
 *
 * Locking: fs->lock.
 */
#include "changes.h"

#include "runtime.h"

#define KEPT_NS 30000000000ul

static struct p9_change **list_of(struct p9_fs *fs, uint64_t request) {
    return &fs->changes[wait_request_thread(request) % P9_CHANGE_LISTS];
}

static bool same_name(const struct node_name *a, const struct node_name *b) {
    return a->length == b->length && a->hash == b->hash &&
           __builtin_memcmp(a->text, b->text, a->length) == 0;
}

void p9_change_free(struct p9_change *change) {
    p9_drop(change->directory);
    if (change->other)
        p9_drop(change->other);
    if (change->made)
        p9_drop(change->made);
    if (change->moved)
        p9_drop(change->moved);
    k42_platform_free(change);
}

/* Whether nobody will fetch it, as far as the call that makes the next change of the list knows. */
static bool is_old(const struct p9_change *change, uint64_t request, uint64_t now) {
    uint64_t over = k42_load_acquire(&change->over);
    if (!over || change->request == request)
        return false;
    return wait_request_thread(change->request) == wait_request_thread(request) ||
           over + KEPT_NS < now;
}

/* Under the lock: the old ones of a list, for the caller to free without it. */
static struct p9_change *take_old(struct p9_change **list, uint64_t request) {
    struct p9_change *old = NULL;
    uint64_t now = k42_platform_now_ns();
    while (*list) {
        struct p9_change *at = *list;
        if (!is_old(at, request, now)) {
            list = &at->next;
            continue;
        }
        *list = at->next;
        at->next = old;
        old = at;
    }
    return old;
}

static void free_all(struct p9_change *list) {
    while (list) {
        struct p9_change *next = list->next;
        p9_change_free(list);
        list = next;
    }
}

/* Under the lock. */
static struct p9_change *find(struct p9_fs *fs, enum p9_type type, const struct p9_inode *directory,
                              const struct node_name *name) {
    uint64_t request = wait_request();
    struct p9_change *at = *list_of(fs, request);
    while (at && (at->request != request || at->type != type || at->directory != directory ||
                  (name && !same_name(&at->name, name))))
        at = at->next;
    return at;
}

k42_result p9_change_look(enum p9_type type, struct p9_inode *directory,
                          const struct node_name *name, k42_ref *made) {
    struct p9_fs *fs = directory->fs;
    k42_result result = 1;
    k42_lock(&fs->lock);
    struct p9_change *found = find(fs, type, directory, name);
    if (found && !k42_load_acquire(&found->over)) {
        result = -K42_WAIT;
    } else if (found) {
        k42_store_relaxed(&found->over, k42_platform_now_ns());
        result = found->result;
        if (made)
            *made = found->made ? found->made->self : K42_NULL_REF;
    }
    k42_unlock(&fs->lock);
    if (result == -K42_WAIT)
        return wait_on(k42_id_of(directory->self), P9_KEY_CHANGE, WAIT_READ);
    return result;
}

struct p9_change *p9_change_make(enum p9_type type, struct p9_inode *directory,
                                 const struct node_name *name, const struct node_name *new_name,
                                 struct p9_inode *other) {
    uint32_t first = name ? name->length : 0, second = new_name ? new_name->length : 0;
    struct p9_change *change = k42_platform_alloc(sizeof *change + first + second);
    if (!change)
        return NULL;
    if (!p9_hold(directory)) {
        k42_platform_free(change);
        return NULL;
    }
    change->type = type;
    change->directory = directory;
    change->fs = directory->fs;
    change->other = other && p9_hold(other) ? other : NULL;
    change->fid = P9_NO_FID;
    if (name) {
        __builtin_memcpy(change->text, name->text, first);
        change->name = (struct node_name){change->text, first, name->hash};
    }
    if (new_name) {
        __builtin_memcpy(change->text + first, new_name->text, second);
        change->new_name = (struct node_name){change->text + first, second, new_name->hash};
    }
    return change;
}

static void take_out(struct p9_change *change) {
    struct p9_fs *fs = change->fs;
    k42_lock(&fs->lock);
    struct p9_change **link = list_of(fs, change->request);
    while (*link != change)
        link = &(*link)->next;
    *link = change->next;
    k42_unlock(&fs->lock);
}

k42_result p9_change_begin(struct p9_change *change, struct p9_call *call) {
    struct p9_fs *fs = change->fs;
    change->request = wait_request();
    struct p9_change **list = list_of(fs, change->request);
    k42_id id = k42_id_of(change->directory->self);
    k42_lock(&fs->lock);
    struct p9_change *old = take_old(list, change->request);
    change->next = *list;
    *list = change;
    k42_unlock(&fs->lock);
    k42_store_relaxed(&fs->has_changed, true);
    free_all(old);
    if (change->type == P9_TSETATTR)
        p9_changing(change->directory);
    k42_result result = p9_call_send(call);
    if (result >= 0)
        return wait_on(id, P9_KEY_CHANGE, WAIT_READ);
    if (change->type == P9_TSETATTR)
        p9_changed(change->directory);
    take_out(change);
    if (change->fid != P9_NO_FID)
        p9_fid_give(fs->client, change->fid);
    p9_change_free(change);
    return result;
}

void p9_change_over(struct p9_change *change, int error) {
    k42_id id = k42_id_of(change->directory->self);
    if (change->type == P9_TSETATTR)
        p9_changed(change->directory);
    p9_attributes_changed(change->directory);
    if (change->other)
        p9_attributes_changed(change->other);
    change->result = error;
    k42_store_release(&change->over, k42_platform_now_ns());
    WAIT_BARRIER();
    wait_notify(id, P9_KEY_CHANGE, WAIT_READ, WAIT_ALL);
}

/* Under the lock: what a name led to before the change; false: that is not changed by it. */
static bool name_before(const struct p9_change *change, const struct p9_inode *directory,
                        const struct node_name *name, struct p9_inode **inode) {
    bool moves = change->type == P9_TRENAMEAT;
    const struct p9_inode *to = change->other ? change->other : change->directory;
    if (moves && directory == to && same_name(&change->new_name, name)) {
        *inode = change->made;
        return true;
    }
    if (change->directory != directory || !same_name(&change->name, name))
        return false;
    *inode = moves ? change->moved : change->type == P9_TUNLINKAT ? change->other : NULL;
    return change->type != P9_TSETATTR;
}

bool p9_before_change(struct p9_inode *directory, const struct node_name *name,
                      struct p9_inode **inode) {
    struct p9_fs *fs = directory->fs;
    if (!k42_load_relaxed(&fs->has_changed))
        return false;
    uint64_t request = wait_request();
    bool found = false;
    k42_lock(&fs->lock);
    for (struct p9_change *at = *list_of(fs, request); at && !found; at = at->next)
        found = at->request == request && name_before(at, directory, name, inode);
    k42_unlock(&fs->lock);
    return found;
}

void p9_changes_end(struct p9_fs *fs) {
    for (unsigned i = 0; i < P9_CHANGE_LISTS; i++) {
        struct p9_change *list = NULL, **last = &list;
        k42_lock(&fs->lock);
        for (struct p9_change **link = &fs->changes[i]; *link;) {
            struct p9_change *at = *link;
            if (!k42_load_acquire(&at->over)) {
                link = &at->next;
                continue;
            }
            *link = at->next;
            at->next = NULL;
            *last = at;
            last = &at->next;
        }
        k42_unlock(&fs->lock);
        free_all(list);
    }
}
