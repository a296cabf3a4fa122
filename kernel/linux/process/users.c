/*
 * Users by number, in hashed lists: a record for each that has a thread, files on their way or
 * queues of messages.
 *
 * Locking: a list's lock, leaf. A user of many threads on many CPUs shares one lock and one count;
 * it is taken when a thread begins and ends.
 */
#include "users.h"

#include "../../mem/heap/heap.h"

#include <errno.h>
#include <k42/lock.h>

#define LISTS 64u

struct user {
    struct user *next;
    uint32_t uid;
    uint64_t threads;
    uint64_t files; /* on their way */
    uint64_t bytes; /* of queues */
    uint32_t things[USER_THINGS];
};

static struct list {
    struct k42_lock lock;
    struct user *first;
} lists[LISTS];

static struct list *list_of(uint32_t uid) {
    return &lists[uid * 0x9e3779b9u >> 26];
}

/* The place where it stands, or would. */
static struct user **find(struct list *list, uint32_t uid) {
    struct user **link = &list->first;
    while (*link && (*link)->uid != uid)
        link = &(*link)->next;
    return link;
}

/* NULL: no memory. */
static struct user *get(struct list *list, uint32_t uid) {
    struct user **link = find(list, uid), *user = *link;
    if (user)
        return user;
    user = heap_allocate_zeroed(sizeof *user);
    if (user)
        user->uid = uid;
    *link = user;
    return user;
}

/* What is to be freed when the user has nothing any more. */
static struct user *take_idle(struct list *list, uint32_t uid) {
    struct user **link = find(list, uid), *user = *link;
    if (!user || user->threads || user->files || user->bytes)
        return NULL;
    for (unsigned n = 0; n < USER_THINGS; n++)
        if (user->things[n])
            return NULL;
    *link = user->next;
    return user;
}

static k42_result add_thread(struct list *list, uint32_t uid, uint64_t limit) {
    struct user *user = get(list, uid);
    if (!user)
        return -ENOMEM;
    if (user->threads && user->threads >= limit)
        return -EAGAIN;
    user->threads++;
    return 0;
}

k42_result user_add_thread(uint32_t uid, uint64_t limit) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    k42_result result = add_thread(list, uid, limit);
    k42_unlock(&list->lock);
    return result;
}

void user_remove_thread(uint32_t uid) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = *find(list, uid);
    if (user)
        user->threads--;
    user = take_idle(list, uid);
    k42_unlock(&list->lock);
    heap_free(user);
}

k42_result user_add_files(uint32_t uid, uint32_t count, uint64_t limit) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = get(list, uid);
    k42_result result = !user ? -ENOMEM : user->files > limit ? -ETOOMANYREFS : 0;
    if (result >= 0)
        user->files += count;
    k42_unlock(&list->lock);
    return result;
}

void user_remove_files(uint32_t uid, uint32_t count) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = *find(list, uid);
    if (user)
        user->files -= count;
    user = take_idle(list, uid);
    k42_unlock(&list->lock);
    heap_free(user);
}

k42_result user_add_bytes(uint32_t uid, uint64_t bytes, uint64_t limit) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = get(list, uid);
    bool fits = user && bytes <= limit && user->bytes <= limit - bytes;
    if (fits)
        user->bytes += bytes;
    struct user *idle = take_idle(list, uid);
    k42_unlock(&list->lock);
    heap_free(idle);
    return fits ? 0 : user ? -EMFILE : -ENOMEM;
}

void user_remove_bytes(uint32_t uid, uint64_t bytes) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = *find(list, uid);
    if (user)
        user->bytes -= bytes;
    user = take_idle(list, uid);
    k42_unlock(&list->lock);
    heap_free(user);
}

k42_result user_add_thing(uint32_t uid, enum user_thing thing, uint32_t limit) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = get(list, uid);
    k42_result result = !user ? -ENOMEM : user->things[thing] >= limit ? -EAGAIN : 0;
    if (result >= 0)
        user->things[thing]++;
    k42_unlock(&list->lock);
    return result;
}

void user_remove_thing(uint32_t uid, enum user_thing thing) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    struct user *user = *find(list, uid);
    if (user)
        user->things[thing]--;
    user = take_idle(list, uid);
    k42_unlock(&list->lock);
    heap_free(user);
}
