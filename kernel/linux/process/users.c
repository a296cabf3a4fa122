/*
 * Users by number, in hashed lists: a record for each that has a thread.
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

static k42_result add(struct list *list, uint32_t uid, uint64_t limit) {
    struct user **link = find(list, uid), *user = *link;
    if (!user) {
        user = heap_allocate_zeroed(sizeof *user);
        if (!user)
            return -ENOMEM;
        user->uid = uid;
        *link = user;
    }
    if (user->threads && user->threads >= limit)
        return -EAGAIN;
    user->threads++;
    return 0;
}

k42_result user_add_thread(uint32_t uid, uint64_t limit) {
    struct list *list = list_of(uid);
    k42_lock(&list->lock);
    k42_result result = add(list, uid, limit);
    k42_unlock(&list->lock);
    return result;
}

void user_remove_thread(uint32_t uid) {
    struct list *list = list_of(uid);
    struct user *gone = NULL;
    k42_lock(&list->lock);
    struct user **link = find(list, uid);
    if (*link && --(*link)->threads == 0) {
        gone = *link;
        *link = gone->next;
    }
    k42_unlock(&list->lock);
    heap_free(gone);
}
