/*
 * The watches of one inotify file, by number, and what becomes of a notice.
 *
 * Numbers are given one after the other, so the lists they hash to by their last bits stay short.
 * A watch is in its list before the table of nodes has it, since its first event may end it. So
 * who closes the file may find one that is in the list only: he takes it out, and who is adding it
 * sees afterwards, under the lock, that the file was closed, and ends it himself.
 *
 * A watcher is freed a grace period after it ended: whoever found it by its number is active.
 * Locking: the file's lock, which comes after the table's. Fails: -ENOMEM.
 */
#include "../../process/users.h"
#include "changes.h"
#include "platform.h"

#include <errno.h>
#include <string.h>

struct watcher {
    struct watch watch;
    struct changes *changes;
    struct watcher *next; /* in its list */
    int32_t number;
    bool listed;
    struct event *ended; /* what its end will say */
    struct k42_defer defer;
};

enum { LISTS_LEAST = 8 };

/* ---- with the lock ---- */

static struct watcher **list_of(const struct changes *changes, int32_t number) {
    return &changes->by_number[(uint32_t)number & (changes->room - 1)];
}

static void list(struct changes *changes, struct watcher *watcher) {
    struct watcher **first = list_of(changes, watcher->number);
    watcher->next = *first;
    *first = watcher;
    watcher->listed = true;
    changes->watchers++;
}

static void unlist(struct changes *changes, struct watcher *watcher) {
    if (!watcher->listed)
        return;
    struct watcher **link = list_of(changes, watcher->number);
    while (*link != watcher)
        link = &(*link)->next;
    *link = watcher->next;
    watcher->listed = false;
    changes->watchers--;
}

/* Makes sure that lists are no longer than one on average. -ENOMEM. */
static k42_result reserve(struct changes *changes) {
    uint32_t before = changes->room, room = before ? 2 * before : LISTS_LEAST;
    if (changes->watchers < before)
        return 0;
    struct watcher **old = changes->by_number;
    struct watcher **new = k42_platform_alloc(room * sizeof(struct watcher *));
    if (!new)
        return -ENOMEM;
    changes->by_number = new;
    changes->room = room;
    for (uint32_t n = 0; n < before; n++)
        for (struct watcher *at = old[n], *next; at; at = next) {
            next = at->next;
            changes->watchers--;
            list(changes, at);
        }
    k42_platform_free(old);
    return 0;
}

static struct watcher *find(const struct changes *changes, int32_t number) {
    struct watcher *at = changes->room ? *list_of(changes, number) : NULL;
    while (at && at->number != number)
        at = at->next;
    return at;
}

/* ---- under the lock of the table of nodes ---- */

static void tell(struct watch *watch, const struct notice *notice) {
    struct watcher *watcher = k42_container(watch, struct watcher, watch);
    events_add(watcher->changes, event_make(watcher->number, notice));
}

static void free_watcher(struct k42_defer *defer) {
    struct watcher *watcher = k42_container(defer, struct watcher, defer);
    k42_platform_free(watcher->ended);
    k42_platform_free(watcher);
}

/* Its last user is active. */
static void let_go(struct watcher *watcher) {
    user_remove_thing(watcher->changes->uid, USER_WATCHES);
    k42_defer(&watcher->defer, free_watcher);
}

static void ended(struct watch *watch) {
    struct watcher *watcher = k42_container(watch, struct watcher, watch);
    struct changes *changes = watcher->changes;
    k42_lock(&changes->lock);
    unlist(changes, watcher);
    k42_unlock(&changes->lock);
    events_add(changes, watcher->ended);
    watcher->ended = NULL;
    let_go(watcher);
}

/* It is asked for again: with more, or with something else. */
static k42_result again(struct watch *there, const struct watch *asked) {
    if (asked->mask & CHANGES_NEW_ONLY)
        return -EEXIST;
    bool adds = asked->mask & CHANGES_ADD;
    there->mask = asked->mask | (adds ? there->mask : 0);
    there->once = asked->once || (adds && there->once);
    there->named_only = asked->named_only || (adds && there->named_only);
    return k42_container(there, struct watcher, watch)->number;
}

/* ---- */

static struct watcher *make(struct changes *changes, uint32_t mask) {
    static const struct notice end = {.what = CHANGES_ENDED};
    struct watcher *watcher = k42_platform_alloc(sizeof *watcher);
    if (!watcher)
        return NULL;
    *watcher = (struct watcher){
        .watch = {.owner = changes,
                  .mask = mask,
                  .once = mask & (unsigned)CHANGES_ONCE,
                  .named_only = mask & CHANGES_NAMED_ONLY,
                  .tell = tell,
                  .ended = ended},
        .changes = changes,
        .number = changes->last_number + 1,
    };
    watcher->ended = event_make(watcher->number, &end);
    if (watcher->ended)
        return watcher;
    k42_platform_free(watcher);
    return NULL;
}

static k42_result enlist(struct changes *changes, struct watcher *watcher) {
    k42_lock(&changes->lock);
    k42_result result = changes->closed ? -EBADF : reserve(changes);
    if (result == 0)
        list(changes, watcher);
    k42_unlock(&changes->lock);
    return result;
}

/* From here on its end frees it. */
static k42_result begun(struct changes *changes, struct watcher *watcher) {
    k42_result number = changes->last_number = watcher->number;
    k42_lock(&changes->lock);
    bool closed = changes->closed;
    k42_unlock(&changes->lock);
    if (closed)
        notify_unwatch(&watcher->watch);
    return number;
}

k42_result watches_add(struct changes *changes, const struct changes_request *request) {
    k42_result result = user_add_thing(changes->uid, USER_WATCHES, CHANGES_WATCHES_MOST);
    if (result < 0)
        return result == -EAGAIN ? -ENOSPC : result;
    struct watcher *watcher = make(changes, request->mask);
    if (!watcher) {
        user_remove_thing(changes->uid, USER_WATCHES);
        return -ENOMEM;
    }
    result = enlist(changes, watcher);
    if (result == 0)
        result = notify_watch(request->node, &watcher->watch, again);
    if (result == 0)
        return begun(changes, watcher);
    k42_lock(&changes->lock);
    unlist(changes, watcher);
    k42_unlock(&changes->lock);
    let_go(watcher);
    return result == -K42_STALE ? -ENOENT : result;
}

k42_result watches_remove(struct changes *changes, int32_t number) {
    k42_lock(&changes->lock);
    struct watcher *watcher = find(changes, number);
    k42_unlock(&changes->lock);
    if (!watcher)
        return -EINVAL;
    notify_unwatch(&watcher->watch);
    return 0;
}

static struct watcher *take_any(struct changes *changes, uint32_t *from) {
    struct watcher *any = NULL;
    k42_lock(&changes->lock);
    while (!any && *from < changes->room) {
        any = changes->by_number[*from];
        if (any)
            unlist(changes, any);
        else
            ++*from;
    }
    k42_unlock(&changes->lock);
    return any;
}

void watches_close(struct changes *changes) {
    uint32_t from = 0;
    struct watcher *watcher;
    k42_lock(&changes->lock);
    changes->closed = true;
    k42_unlock(&changes->lock);
    while ((watcher = take_any(changes, &from)))
        notify_unwatch(&watcher->watch);
}
