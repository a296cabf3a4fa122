/*
 * O_ASYNC: an open file's owner is told, by a signal, that it can be read or written.
 *
 * Who asks for it has a watcher where the file is waited for (sched/wait.h). That is told under the
 * lock of whatever notifies, where no object may be called; so it only notes what came, and a piece
 * of work sends. One signal stands for what came before it was sent.
 *
 * A watcher is listed by its file and ends with it, or when O_ASYNC is taken away. Its users are
 * the list and the work that was raised; it is freed a grace period after the last. Locking: a
 * bucket's lock, leaf. Fails: -ENOMEM.
 */
#include "../../dev/work.h"
#include "../../sched/wait.h"
#include "files.h"
#include "owners.h"
#include "platform.h"

#include <asm/poll.h>
#include <k42/lock.h>

enum { TO_READ = WAIT_READ | WAIT_HANGUP, TO_WRITE = WAIT_WRITE | WAIT_ERROR };

struct async {
    struct wait_entry entry;
    struct work work;
    struct async *next;
    k42_id file;
    int fd;
    uint32_t wanted;
    uint32_t came; /* and was not sent yet */
    uint32_t users;
    struct k42_defer defer;
};

enum { BUCKETS = 256 };

static struct bucket {
    struct k42_lock lock;
    struct async *first;
} buckets[BUCKETS];

static struct bucket *bucket_of(k42_id file) {
    return &buckets[(file * 0x9e3779b1u >> 16) % BUCKETS];
}

static void free_one(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct async, defer));
}

static void let_go(struct async *one) {
    if (!__atomic_sub_fetch(&one->users, 1, __ATOMIC_ACQ_REL))
        k42_defer(&one->defer, free_one);
}

/* ---- telling ---- */

/* From the time it takes `came` on, what comes raises the work anew, with a user of its own. */
static void send(struct work *work) {
    static const struct owner_news to_read = {.code = 1 /* POLL_IN */, .band = POLLIN | POLLRDNORM};
    static const struct owner_news to_write = {.code = 2 /* POLL_OUT */,
                                               .band = POLLOUT | POLLWRNORM | POLLWRBAND};
    struct async *one = k42_container(work, struct async, work);
    uint32_t came = __atomic_exchange_n(&one->came, 0, __ATOMIC_ACQ_REL);
    if (came & TO_READ & one->wanted)
        owner_tell(one->file, one->fd, &to_read);
    if (came & TO_WRITE & one->wanted)
        owner_tell(one->file, one->fd, &to_write);
    if (came)
        let_go(one);
}

/* Under the notifier's lock. */
static void note(struct wait_entry *entry, uint32_t events) {
    struct async *one = k42_container(entry, struct async, entry);
    events &= one->wanted;
    if (!events || __atomic_fetch_or(&one->came, events, __ATOMIC_ACQ_REL))
        return; /* the work that is raised already sends it */
    __atomic_add_fetch(&one->users, 1, __ATOMIC_RELAXED);
    work_raise(&one->work);
}

/* ---- beginning and end ---- */

static uint32_t events_of(unsigned flags) {
    return (open_reads(flags) ? TO_READ : 0u) | (open_writes(flags) ? TO_WRITE : 0u);
}

/* Listed, unless another thread was faster. */
static bool list(struct async *one) {
    struct bucket *bucket = bucket_of(one->file);
    k42_lock(&bucket->lock);
    struct async *other = bucket->first;
    while (other && other->file != one->file)
        other = other->next;
    if (other) {
        other->fd = one->fd;
    } else {
        one->next = bucket->first;
        bucket->first = one;
    }
    k42_unlock(&bucket->lock);
    return !other;
}

k42_result async_begin(file_ref file, int fd) {
    struct file_poll where = {0};
    k42_result flags = k42_call(file, flags);
    k42_result ready = k42_call(file, poll, &where);
    if (flags < 0 || ready < 0 || !where.object)
        return flags < 0 ? flags : ready < 0 ? ready : 0; /* or there is nothing to wait for */
    struct async *one = k42_platform_alloc(sizeof *one);
    if (!one)
        return -ENOMEM;
    *one = (struct async){
        .file = k42_id_of(file), .fd = fd, .wanted = events_of((unsigned)flags), .users = 1};
    work_init(&one->work, (uint32_t)k42_cpu(), send);
    owners_mind_ends();
    struct wait_point point = {where.object, one->wanted, where.key};
    wait_watch(&one->entry, point, note);
    if (!list(one)) {
        (void)wait_remove(&one->entry);
        let_go(one);
    }
    return 0;
}

/* No call of note() is under way afterwards, and the work that it raised has a user of its own. */
void async_end(k42_id file) {
    struct bucket *bucket = bucket_of(file);
    if (!__atomic_load_n(&bucket->first, __ATOMIC_ACQUIRE))
        return;
    k42_lock(&bucket->lock);
    struct async **link = &bucket->first;
    while (*link && (*link)->file != file)
        link = &(*link)->next;
    struct async *one = *link;
    if (one)
        *link = one->next;
    k42_unlock(&bucket->lock);
    if (!one)
        return;
    (void)wait_remove(&one->entry);
    let_go(one);
}
