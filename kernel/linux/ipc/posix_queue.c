/*
 * POSIX's queues of messages by name. See posix_queue.h.
 *
 * Names stand in hashed lists, each with a lock, leaf, in the order of the numbers that queues get.
 * What is found there is held under that lock, and its name has a hold: so it is not ending. Two
 * who make the same one make one each, and one of them goes.
 *
 * Who is to be told is taken out under the queue's lock and told without it. A process that has
 * ended asks for nothing any more: that is seen when another asks.
 */
#include "posix_queue.h"

#include "../../fs/path.h"
#include "../../fs/ramfs/ramfs.h"
#include "../../fs/values.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../process/users.h"
#include "../socket/inbox.h"
#include "../task.h"

#include <linux/mqueue.h>

#define LISTS       256u
#define MOST_EVER   65536u /* messages of any queue; and bytes of any message: */
#define LARGEST     (16u << 20)
#define FOR_MESSAGE 96u /* what Linux charges for one besides its bytes */

struct posix_limits posix_limits = {256, 10, 8192, 10, 8192};

static struct list {
    struct k42_lock lock;
    struct posix_queue *first;
    uint64_t next; /* number */
} lists[LISTS];
static uint32_t count; /* queues with names; atomic */

static struct list *list_of(uint32_t hash) {
    return &lists[hash % LISTS];
}

/* With the list's lock: where the link to it is. */
static struct posix_queue **find(struct list *list, const struct node_name *name) {
    struct posix_queue **link = &list->first;
    while (*link && ((*link)->hash != name->hash || (*link)->length != name->length ||
                     __builtin_memcmp((*link)->name, name->text, name->length)))
        link = &(*link)->next;
    return link;
}

bool posix_queue_hold(struct posix_queue *queue) {
    uint32_t holds = __atomic_load_n(&queue->holds, __ATOMIC_RELAXED);
    while (holds)
        if (__atomic_compare_exchange_n(&queue->holds, &holds, holds + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

uint32_t posix_queues_named(void) {
    return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

struct posix_queue *posix_queue_find(const struct node_name *name) {
    struct list *list = list_of(name->hash);
    k42_lock(&list->lock);
    struct posix_queue *queue = *find(list, name);
    if (queue)
        __atomic_fetch_add(&queue->holds, 1, __ATOMIC_RELAXED);
    k42_unlock(&list->lock);
    return queue;
}

/* A cursor has the list, and a number that is higher than those before it; from 2 on. */
#define IN_LIST 48

struct posix_queue *posix_queue_next(uint64_t *cursor) {
    uint64_t from = *cursor & ((1ul << IN_LIST) - 1);
    for (uint64_t n = *cursor >> IN_LIST; n < LISTS; n++, from = 0) {
        struct list *list = &lists[n];
        k42_lock(&list->lock);
        struct posix_queue *queue = list->first;
        while (queue && queue->number < from)
            queue = queue->next;
        if (queue)
            __atomic_fetch_add(&queue->holds, 1, __ATOMIC_RELAXED);
        k42_unlock(&list->lock);
        if (!queue)
            continue;
        *cursor = n << IN_LIST | (queue->number + 1);
        return queue;
    }
    return NULL;
}

/* ---- the end ---- */

/* The queue's memory goes with its node, a grace period later. */
void posix_queue_release(struct posix_queue *queue) {
    if (__atomic_sub_fetch(&queue->holds, 1, __ATOMIC_ACQ_REL))
        return;
    (void)!k42_destroy((k42_ref)queue->object);
    (void)!k42_call(queue->inner, release);
    queue_notice_end(&queue->notice);
    user_remove_bytes(queue->uid, queue->bytes);
    (void)!k42_destroy((k42_ref)queue->node);
}

/* ---- making ---- */

static uint32_t limit(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static k42_result check_size(const struct queue_request *request) {
    bool may = task_capable(task_self(), CAP_SYS_RESOURCE);
    uint64_t most = may ? MOST_EVER : limit(&posix_limits.messages);
    uint64_t bytes = may ? LARGEST : limit(&posix_limits.bytes);
    return request->most - 1 < most && request->size - 1 < bytes ? 0 : -EINVAL;
}

static k42_result charge(struct posix_queue *queue) {
    queue->uid = task_self()->credentials->uid;
    queue->bytes = queue->most * (queue->size + FOR_MESSAGE);
    return user_add_bytes(queue->uid, queue->bytes, task_limit(task_self(), RLIMIT_MSGQUEUE));
}

static k42_result make_parts(struct posix_queue *queue, uint32_t mode) {
    const struct credentials *who = task_self()->credentials;
    struct node_new what = {.mode = MODE_REGULAR | (mode & ~task_self()->paths->mask & 07777),
                            .uid = who->fsuid,
                            .gid = who->fsgid};
    k42_ref inner, object;
    k42_result result = ramfs_make_unnamed(&what, &inner);
    if (result < 0)
        return result;
    queue->inner = (node_ref)inner;
    result = message_queue_make_sorted((uint32_t)queue->most, &object);
    if (result >= 0) {
        queue->object = (message_queue_ref)object;
        result = posix_queue_make_node(queue);
        if (result < 0)
            (void)!k42_destroy(object);
    }
    if (result < 0)
        (void)!k42_call(queue->inner, release);
    return result;
}

static k42_result make(const struct queue_request *request, struct posix_queue **made) {
    k42_result result = check_size(request);
    if (result < 0)
        return result;
    struct posix_queue *queue = heap_allocate_zeroed(sizeof *queue + request->name.length);
    if (!queue)
        return -ENOMEM;
    queue->holds = 2;
    queue->most = request->most;
    queue->size = request->size;
    queue->hash = request->name.hash;
    queue->length = request->name.length;
    __builtin_memcpy(queue->name, request->name.text, queue->length);
    result = charge(queue);
    if (result >= 0) {
        result = make_parts(queue, request->mode);
        if (result < 0)
            user_remove_bytes(queue->uid, queue->bytes);
    }
    if (result < 0)
        heap_free(queue);
    *made = queue;
    return result;
}

/* Gives it its name, unless another has come by that: then gives it up and holds that one. */
static k42_result settle(struct posix_queue **queue, unsigned flags) {
    struct node_name name = {(*queue)->name, (*queue)->length, (*queue)->hash};
    struct list *list = list_of(name.hash);
    k42_lock(&list->lock);
    struct posix_queue **link = find(list, &name), *present = *link;
    if (!present) {
        (*queue)->number = list->next++;
        (*queue)->named = true;
        *link = *queue;
    } else if (!(flags & OPEN_EXCLUSIVE))
        __atomic_fetch_add(&present->holds, 1, __ATOMIC_RELAXED);
    k42_unlock(&list->lock);
    if (!present) {
        __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
        return 0;
    }
    (*queue)->holds = 1;
    posix_queue_release(*queue);
    *queue = present;
    return flags & OPEN_EXCLUSIVE ? -EEXIST : 1;
}

/* ---- opening ---- */

static k42_result check_rights(const struct posix_queue *queue, unsigned flags) {
    struct node_attributes attributes;
    unsigned access = (open_reads(flags) ? NODE_READ : 0u) | (open_writes(flags) ? NODE_WRITE : 0u);
    if ((flags & OPEN_ACCESS) == OPEN_ACCESS)
        return -EINVAL;
    k42_result result = k42_call(queue->inner, attributes, &attributes);
    return result < 0 ? result : node_allows(&attributes, task_self()->credentials, access);
}

static k42_result open_present(struct posix_queue *queue, unsigned flags) {
    bool wanted = (flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE);
    k42_result result = wanted ? -EEXIST : check_rights(queue, flags);
    if (result < 0)
        posix_queue_release(queue);
    return result;
}

static uint32_t smaller(const uint32_t *left, const uint32_t *right) {
    uint32_t a = limit(left), b = limit(right);
    return a < b ? a : b;
}

void posix_queue_as_usual(struct queue_request *request) {
    request->most = smaller(&posix_limits.messages, &posix_limits.usual_messages);
    request->size = smaller(&posix_limits.bytes, &posix_limits.usual_bytes);
}

k42_result posix_queue_open(const struct queue_request *request, struct posix_queue **queue) {
    k42_result result = posix_queues_allow(NODE_EXECUTE);
    if (result < 0)
        return result;
    *queue = posix_queue_find(&request->name);
    if (*queue)
        return open_present(*queue, request->flags);
    if (!(request->flags & OPEN_CREATE))
        return -ENOENT;
    result = posix_queues_allow(NODE_WRITE | NODE_EXECUTE);
    if (result < 0)
        return result;
    if (limit(&count) >= limit(&posix_limits.queues) &&
        !task_capable(task_self(), CAP_SYS_RESOURCE))
        return -ENOSPC;
    result = make(request, queue);
    if (result >= 0)
        result = settle(queue, request->flags);
    return result == 1 ? open_present(*queue, request->flags) : result;
}

/* Names stand in a folder that is everybody's, where each may take away his own. */
static k42_result may_unlink(const struct posix_queue *queue) {
    struct node_attributes attributes;
    const struct credentials *who = task_self()->credentials;
    k42_result result = k42_call(queue->inner, attributes, &attributes);
    if (result < 0)
        return result;
    bool own = who->fsuid == attributes.uid || !who->fsuid;
    return own || task_capable(task_self(), CAP_FOWNER) ? 0 : -EPERM;
}

k42_result posix_queue_unlink(const struct node_name *name) {
    struct list *list = list_of(name->hash);
    struct posix_queue *queue = posix_queue_find(name);
    if (!queue)
        return -ENOENT;
    k42_result result = posix_queues_allow(NODE_WRITE | NODE_EXECUTE);
    if (result >= 0)
        result = may_unlink(queue);
    k42_lock(&list->lock);
    struct posix_queue **link = find(list, name);
    bool first = result >= 0 && *link == queue;
    if (first) {
        *link = queue->next;
        __atomic_store_n(&queue->named, false, __ATOMIC_RELAXED);
    }
    k42_unlock(&list->lock);
    if (first) {
        __atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED);
        posix_queue_release(queue);
    } else if (result >= 0) {
        result = -ENOENT;
    }
    posix_queue_release(queue);
    return result < 0 ? result : 0;
}

/* ---- who is told ---- */

/* What a thread of the program's C library waits for. */
static void send_cookie(const struct queue_notice *notice, char how) {
    char cookie[QUEUE_COOKIE];
    struct copy copy = copy_of_kernel(cookie, sizeof cookie);
    inbox_ref inbox = (inbox_ref)k42_id_ref(notice->inbox);
    struct parcel *parcel;
    __builtin_memcpy(cookie, notice->cookie, sizeof cookie);
    cookie[QUEUE_COOKIE - 1] = how;
    if (parcel_make(&copy, sizeof cookie, &parcel) >= 0 && k42_call(inbox, put, parcel) < 0)
        parcel_free(parcel);
}

void queue_notice_end(const struct queue_notice *notice) {
    if (notice->inbox)
        (void)!k42_call((inbox_ref)k42_id_ref(notice->inbox), release);
}

static bool is_alive(k42_id process) {
    struct process_info info;
    return process && k42_call((process_ref)k42_id_ref(process), info, &info) >= 0 &&
           info.state != CHILD_ENDED;
}

void posix_queue_tell(struct posix_queue *queue) {
    k42_lock(&queue->lock);
    struct queue_notice notice = queue->notice;
    queue->notice = (struct queue_notice){0};
    k42_unlock(&queue->lock);
    if (notice.inbox)
        send_cookie(&notice, NOTIFY_WOKENUP);
    if (notice.process && notice.kind == SIGEV_SIGNAL && notice.signal) {
        struct signal_info info = signal_from_self(notice.signal, SI_MESGQ);
        info.sent.value = notice.value;
        (void)!k42_call((process_ref)k42_id_ref(notice.process), send, 0, &info);
    }
    queue_notice_end(&notice);
}

/* Whether the one that is there is alive is asked without the lock, and it looked at again. */
k42_result posix_queue_ask(struct posix_queue *queue, const struct queue_notice *notice) {
    k42_id present = __atomic_load_n(&queue->notice.process, __ATOMIC_RELAXED);
    if (is_alive(present))
        return -EBUSY;
    k42_lock(&queue->lock);
    struct queue_notice before = queue->notice;
    bool same = before.process == present;
    if (same) {
        queue->notice = *notice;
        queue->notice.process = k42_id_of(task_self()->process);
        queue->notice.pid = task_self()->pid;
    }
    k42_unlock(&queue->lock);
    if (same)
        queue_notice_end(&before);
    return same ? 0 : -EBUSY;
}

void posix_queue_forget(struct posix_queue *queue) {
    struct queue_notice notice = {0};
    k42_lock(&queue->lock);
    if (queue->notice.process == k42_id_of(task_self()->process)) {
        notice = queue->notice;
        queue->notice = (struct queue_notice){0};
    }
    k42_unlock(&queue->lock);
    if (notice.inbox)
        send_cookie(&notice, NOTIFY_REMOVED);
    queue_notice_end(&notice);
}
