/*
 * F_NOTIFY: a process's open folder has its owner told, by a signal, of what happens in it.
 *
 * Each is a watch of the folder's node (fs/notify.h), one of a file and a table of descriptors. It
 * is told under the lock of a bucket of watched nodes, where no object may be called; so that only
 * counts, and a piece of work sends. Who wanted to be told once hears nothing any more, but his
 * watch stays, for when he asks again, until he closes the file.
 *
 * A watch is listed, by its file, after the table of nodes has it; one that ends in between says
 * so. It is freed a grace period after it ended and its work was done. Locking: a bucket's lock,
 * after that of the table of nodes. Fails: -ENOTDIR, -ENOMEM.
 */
#include "../../dev/work.h"
#include "../../fs/notify.h"
#include "files.h"
#include "owners.h"
#include "platform.h"

#include <k42/lock.h>

/* DN_ACCESS and so on. */
enum {
    ON_READ = 1,
    ON_WRITTEN = 2,
    ON_MADE = 4,
    ON_REMOVED = 8,
    ON_RENAMED = 16,
    ON_ATTRIBUTES = 32,
};
#define MORE_THAN_ONCE 0x80000000u

struct folder_watch {
    struct watch watch;
    struct work work;
    struct folder_watch *next;
    k42_id file, table;
    int fd;
    uint32_t what;   /* guarded by the lock of the watched node, as the next */
    uint32_t cookie; /* of what moved away last */
    uint32_t came;   /* and was not sent yet */
    uint32_t users;  /* the table of nodes, work that was raised, who ends it */
    bool listed, over;
    struct k42_defer defer;
};

enum { BUCKETS = 256, MOST_AT_A_TIME = 64 };

static struct bucket {
    struct k42_lock lock;
    struct folder_watch *first;
} buckets[BUCKETS];

static struct bucket *bucket_of(k42_id file) {
    return &buckets[(file * 0x9e3779b1u >> 16) % BUCKETS];
}

static void free_one(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct folder_watch, defer));
}

static void let_go(struct folder_watch *one) {
    if (!__atomic_sub_fetch(&one->users, 1, __ATOMIC_ACQ_REL))
        k42_defer(&one->defer, free_one);
}

/* With the lock. */
static void unlist(struct bucket *bucket, struct folder_watch *one) {
    struct folder_watch **link = &bucket->first;
    if (!one->listed)
        return;
    while (*link != one)
        link = &(*link)->next;
    *link = one->next;
    one->listed = false;
}

/* ---- under the lock of the watched node ---- */

static uint32_t notices_of(uint32_t what) {
    return (what & ON_READ ? NOTIFY_READ : 0u) | (what & ON_WRITTEN ? NOTIFY_WRITTEN : 0u) |
           (what & ON_MADE ? NOTIFY_MADE | NOTIFY_MOVED_TO : 0u) |
           (what & ON_REMOVED ? NOTIFY_REMOVED | NOTIFY_MOVED_FROM : 0u) |
           (what & ON_ATTRIBUTES ? NOTIFY_ATTRIBUTES : 0u);
}

static uint32_t mask_of(uint32_t what) {
    return notices_of(what) | (what & ON_RENAMED ? NOTIFY_MOVED_FROM | NOTIFY_MOVED_TO : 0u);
}

/* A name that leaves the folder and comes to it in one move was renamed. */
static bool is_rename(struct folder_watch *one, const struct notice *notice) {
    if (notice->what & NOTIFY_MOVED_FROM)
        one->cookie = notice->cookie;
    return (notice->what & NOTIFY_MOVED_TO) && notice->cookie == one->cookie;
}

/* One signal stands for what came before it was sent; each is counted. */
static void tell(struct watch *watch, const struct notice *notice) {
    struct folder_watch *one = k42_container(watch, struct folder_watch, watch);
    bool renamed = is_rename(one, notice) && (one->what & ON_RENAMED);
    bool wanted = renamed || (notice->what & notices_of(one->what));
    if (!wanted || (!notice->name && !(notice->what & NOTIFY_DIRECTORY)))
        return;
    if (!(one->what & MORE_THAN_ONCE))
        one->what = watch->mask = 0;
    if (__atomic_fetch_add(&one->came, 1, __ATOMIC_ACQ_REL))
        return; /* the work that is raised already sends it */
    __atomic_add_fetch(&one->users, 1, __ATOMIC_RELAXED);
    work_raise(&one->work);
}

static void ended(struct watch *watch) {
    struct folder_watch *one = k42_container(watch, struct folder_watch, watch);
    struct bucket *bucket = bucket_of(one->file);
    k42_lock(&bucket->lock);
    unlist(bucket, one);
    one->over = true;
    k42_unlock(&bucket->lock);
    let_go(one);
}

static k42_result again(struct watch *there, const struct watch *asked) {
    struct folder_watch *one = k42_container(there, struct folder_watch, watch);
    const struct folder_watch *more = k42_container(asked, struct folder_watch, watch);
    one->what |= more->what;
    one->fd = more->fd;
    there->mask = mask_of(one->what);
    return 1;
}

/* ---- sending ---- */

/* From the time it takes `came` on, what comes raises the work anew, with a user of its own. */
static void send(struct work *work) {
    static const struct owner_news happened = {.code = 3 /* POLL_MSG */, .band = 0x441};
    struct folder_watch *one = k42_container(work, struct folder_watch, work);
    uint32_t came = __atomic_exchange_n(&one->came, 0, __ATOMIC_ACQ_REL);
    if (!came)
        return;
    for (uint32_t n = 0; n < came && n < MOST_AT_A_TIME; n++)
        owner_tell(one->file, one->fd, &happened);
    let_go(one);
}

/* ---- beginning and end ---- */

static struct folder_watch *make(file_ref file, int fd, uint32_t what) {
    struct folder_watch *one = k42_platform_alloc(sizeof *one);
    if (!one)
        return NULL;
    *one = (struct folder_watch){.file = k42_id_of(file),
                                 .table = k42_id_of(task_self()->descriptors),
                                 .fd = fd,
                                 .what = what,
                                 .users = 1};
    uintptr_t owner = (uintptr_t)one->file << 32 | one->table;
    one->watch = (struct watch){
        .owner = (const void *)owner, .mask = mask_of(what), .tell = tell, .ended = ended};
    work_init(&one->work, (uint32_t)k42_cpu(), send);
    return one;
}

static void list(struct folder_watch *one) {
    struct bucket *bucket = bucket_of(one->file);
    k42_lock(&bucket->lock);
    if (!one->over) {
        one->next = bucket->first;
        bucket->first = one;
        one->listed = true;
    }
    k42_unlock(&bucket->lock);
}

static k42_result check_folder(file_ref file, node_ref *node) {
    struct node_attributes attributes;
    struct k42_pair found = k42_call(file, node);
    if (found.result < 0)
        return found.result;
    *node = (node_ref)found.word;
    k42_result result = found.word ? k42_call(*node, attributes, &attributes) : -ENOTDIR;
    if (result < 0)
        return result;
    return (attributes.mode & MODE_TYPE) == MODE_DIRECTORY ? 0 : -ENOTDIR;
}

k42_result folder_watch(file_ref file, int fd, uint32_t what) {
    node_ref node = (node_ref)K42_NULL_REF;
    if (!(what & ~MORE_THAN_ONCE)) {
        folder_watches_closed(k42_id_of(file), k42_id_of(task_self()->descriptors));
        return 0;
    }
    k42_result result;
    FILES_CALL(result, check_folder(file, &node));
    if (result >= 0)
        result = owner_become(k42_id_of(file));
    if (result < 0)
        return result;
    struct folder_watch *one = make(file, fd, what);
    if (!one)
        return -ENOMEM;
    result = notify_watch((k42_ref)node, &one->watch, again);
    if (result == 0)
        list(one);
    else
        let_go(one); /* there is one already, or an error */
    return result < 0 ? linux_result(result, -ENOTDIR) : 0;
}

/* Takes one out of the lists; of any table, where that is 0. It has a user more. */
static struct folder_watch *take(k42_id file, k42_id table) {
    struct bucket *bucket = bucket_of(file);
    if (!__atomic_load_n(&bucket->first, __ATOMIC_ACQUIRE))
        return NULL;
    k42_lock(&bucket->lock);
    struct folder_watch *one = bucket->first;
    while (one && (one->file != file || (table && one->table != table)))
        one = one->next;
    if (one) {
        __atomic_add_fetch(&one->users, 1, __ATOMIC_RELAXED);
        unlist(bucket, one);
    }
    k42_unlock(&bucket->lock);
    return one;
}

void folder_watches_closed(k42_id file, k42_id table) {
    struct folder_watch *one;
    while ((one = take(file, table))) {
        notify_unwatch(&one->watch);
        let_go(one);
    }
}

void folder_watches_end(k42_id file) {
    folder_watches_closed(file, 0);
}
