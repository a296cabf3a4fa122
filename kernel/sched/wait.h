/*
 * Waiting: the one place where a call of a program sleeps until something else happens.
 *
 * What is waited for is a point: an object's id, a key of that object's choosing (0, a page's
 * number, a word's address), and events, of which any will do. Who waits stands in one table,
 * hashed by id and key, never in an object: so a swap has no waiters to hand over, and whoever
 * takes an object's place notifies the same table.
 *
 * For whoever implements an object. A method never waits. One that is not ready does nothing and
 * says where to wait:
 *
 *     if (!pipe->used)
 *         return wait_on(k42_root_id(&pipe->root), 0, WAIT_READ);
 *
 * and whoever changes the state says so afterwards:
 *
 *     k42_unlock(&pipe->lock);
 *     wait_notify(k42_root_id(&pipe->root), 0, WAIT_READ, 1);
 *
 * For whoever carries out programs' calls. The calling thread is active, as for any call:
 *
 *     k42_result got;
 *     WAIT_CALL(got, WAIT_FOREVER, 0, k42_call(file, read, &copy, size));
 *
 * Why no notification is lost: WAIT_CALL puts the thread into the table and makes the call once
 * more before it sleeps. Either that call sees the new state, or its look at the state came before
 * the change, and then the notification comes after the thread is in the table and finds it there.
 * For this the state and the notification must be ordered: change it under a lock that the waiting
 * method takes too, and notify with that lock held or after it; or change it by an atomic
 * operation that is a full barrier (or put WAIT_BARRIER() between the two).
 *
 * Beware: WAIT_CALL leaves the generation while it sleeps. A ref it uses must be kept alive by
 * something else than being active (an entry of a table of files holds a count), and the thread may
 * be on another CPU afterwards.
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <k42/k42.h>
#include <stdbool.h>

struct thread;

/* ---- points ---- */

/*
 * Events that most objects have; an object may define others for its keys. Those with a counterpart
 * in Linux's poll() have its value.
 */
enum {
    WAIT_READ = 0x001,   /* POLLIN: there is something to take */
    WAIT_URGENT = 0x002, /* POLLPRI */
    WAIT_WRITE = 0x004,  /* POLLOUT: there is room */
    WAIT_ERROR = 0x008,  /* POLLERR */
    WAIT_HANGUP = 0x010, /* POLLHUP; also what wait_hangup() reports */
    WAIT_ANY = -1,       /* all of them */
};

/* Where an object can be called: what its methods name themselves by. */
static inline k42_id k42_root_id(const struct k42_root *root) {
    return __atomic_load_n(&root->id, __ATOMIC_RELAXED);
}

#define WAIT_FOREVER (~0ul) /* as a deadline */
#define WAIT_ALL     (~0u)  /* as a count */

/* As an id: of points that are no object's. Their keys are addresses in the kernel. */
#define WAIT_NO_OBJECT 0u

struct wait_point {
    k42_id id;
    uint32_t events;
    uintptr_t key;
};

/* ---- what methods call ---- */

/*
 * Notes where the calling thread should wait and returns -K42_WAIT, for the method to return.
 * A proxy notes the point of the object's home. Any thread, also inactive.
 */
K42_MUST_CHECK
k42_result wait_on(k42_id self, uintptr_t key, uint32_t events);
/* The same, and the call is made again at `again` (of time_ns()) whatever happens until then. */
K42_MUST_CHECK
k42_result wait_on_until(k42_id self, uintptr_t key, uint32_t events, uint64_t again);

#define WAIT_REQUEST_BITS 40 /* the lower ones count a thread's calls */

/*
 * The number of the program's call that the calling thread is carrying out: the same in each
 * attempt of one WAIT_CALL, and of no other call ever. A proxy sends it along, so that a retry
 * collects the answer of the first attempt; when it passes on an answer that ends the call, it
 * says wait_request_end().
 */
uint64_t wait_request(void);
void wait_request_end(void);

/* Whose it is. A thread's number may be another's later, but whoever has it makes one call after
 * the other. */
static inline uint32_t wait_request_thread(uint64_t request) {
    return (uint32_t)(request >> WAIT_REQUEST_BITS);
}

/*
 * Notes which page of a program must be waited for and returns -K42_FAULT, for `struct copy` to
 * return. `access` is in the terms of whoever set wait_resolve_fault.
 */
K42_MUST_CHECK
k42_result wait_fault(uintptr_t address, uint32_t access);

/* What a thread notes for its wait; in its record. */
struct wait_record {
    struct wait_point point;
    uintptr_t fault_address;
    uint32_t fault_access;
    uint64_t again;    /* when to make the call again whatever happens */
    uint64_t request;  /* of the call under way, if it was asked for; or 0 */
    uint64_t requests; /* given out by this thread */
    bool heeds;        /* what ends its sleep: a signal, too; for thread_activity() */
    bool copying;      /* inside a cursor's copy: see copy_begins() */
    bool telling;      /* calls functions of watchers */
};

/*
 * Around a copy that may be inside a method: a page it lacks is not waited for in the trap. Any
 * other copy of a program's memory is of a call that may wait, and its trap does.
 */
void copy_begins(void);
void copy_ends(void);
bool copy_under_way(void);

/* The table's buckets; for the inline part below. */
struct wait_bucket {
    uint32_t waiters; /* how many entries; changed under the lock, read without */
    uint32_t lock;
    struct wait_entry *first, *last;
} __attribute__((aligned(64)));

extern struct wait_bucket *wait_buckets;
extern unsigned wait_shift; /* 64 - log2 of their number */

static inline uint64_t wait_mixed(k42_id id, uintptr_t key) {
    return (key ^ (uint64_t)id << 40 ^ id) * 0x9e3779b97f4a7c15ul;
}

static inline struct wait_bucket *wait_bucket_of(k42_id id, uintptr_t key) {
    return &wait_buckets[wait_mixed(id, key) >> wait_shift];
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count);

/* Orders a plain store of the state before a notification; see the head of this file. */
#define WAIT_BARRIER() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/*
 * Something happened: wakes up to `count` of the calls that wait at (id, key) for any of `events`,
 * those that came first first, and every watcher (a poll, a callback) of any of them. Returns how
 * many calls it woke. Say WAIT_ALL unless what happened is used up by one call that succeeds: a
 * call that is woken by a limited count and does not succeed passes the notification on.
 *
 * Any context, with the object's lock held or not; takes spin locks for some dozen instructions,
 * waits for nothing, and so is carried out at once. Without a waiter it is a load and a compare.
 */
static inline uint32_t wait_notify(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    if (__builtin_expect(!__atomic_load_n(&wait_bucket_of(id, key)->waiters, __ATOMIC_RELAXED), 1))
        return 0;
    return wait_notify_slow(id, key, events, count);
}

/*
 * The object is gone: wakes whoever waits at (id, key), for whatever events, with WAIT_HANGUP.
 * Their calls are made again and answer -K42_STALE. Called after k42_destroy() has succeeded, by
 * whoever destroyed it (each interface says which keys its objects use; most use 0 alone).
 */
static inline void wait_hangup(k42_id id, uintptr_t key) {
    wait_notify(id, key, (uint32_t)WAIT_ANY, WAIT_ALL);
}

/* ---- a call that may wait ---- */

enum {
    WAIT_UNINTERRUPTIBLE = 1, /* thread_interrupt() does not end it, of whatever kind */
    WAIT_KILLABLE = 2,        /* only THREAD_KILLED does */
};

struct wait_set {
    struct thread *thread;
    uint32_t fired; /* an entry of it was notified */
};

/* All of an entry is changed under its bucket's lock; `left` last of all. */
struct wait_entry {
    struct wait_entry *next, *before; /* in its bucket: watchers first, then by age */
    struct wait_bucket *bucket;       /* where it is or was */
    struct wait_point point;
    struct wait_set *set; /* whose thread is woken; NULL: fn is called */
    void (*fn)(struct wait_entry *entry, uint32_t events);
    struct wait_entry *next_called;
    const uint32_t *takers; /* of a watcher that will do for others: see wait_watch_instead() */
    uint32_t fired, due;    /* events that came; those of them that fn has not been told */
    bool in;                /* the table */
    bool once;              /* counted by notifications, and taken out by them */
    bool left;              /* that has happened, and its bucket may be no more */
    bool calling;           /* fn is being called, or is about to be */
    bool succeeded;         /* another thread waits to make the next call */
    bool handed_over;       /* and now may, which it looks for without the lock */
};

struct wait_call {
    uint32_t stage; /* 0: it has not waited yet */
    struct wait_set set;
    struct wait_entry entry;
};

/* Between attempts: true, make the call again; false, the result stands. */
bool wait_again(struct wait_call *call, k42_result *result, uint64_t deadline, unsigned flags);

/*
 * Evaluates the expression, a call of a method that gives a k42_result, into `result`, an lvalue,
 * and as long as it is not ready, waits and evaluates it again. The caller is active, before and
 * after. `deadline` is in terms of time_ns() or WAIT_FOREVER. What becomes the result besides what
 * the method gives:
 *
 *   -EINTR       the thread was interrupted (thread_interrupt); nothing was done. Whether the call
 *                is made again is the personality's to say
 *   -ETIMEDOUT   the deadline has passed; the call was tried once more after it
 *   -K42_STALE   the object went
 *   what wait_resolve_fault() gives, when a page cannot be had
 *
 * -K42_WAIT and -K42_FAULT never come out. Where the call need not wait this costs three
 * instructions.
 */
#define WAIT_CALL(result, deadline, flags, ...)                                                    \
    do {                                                                                           \
        struct wait_call wait_call_;                                                               \
        wait_call_.stage = 0;                                                                      \
        do                                                                                         \
            (result) = (__VA_ARGS__);                                                              \
        while (__builtin_expect(wait_call_.stage || (result) <= -K42_WAIT, 0) &&                   \
               wait_again(&wait_call_, &(result), (deadline), (flags)));                           \
    } while (0)

/* The same when the call was made already and `result` is what it gave. */
#define WAIT_CALL_ON(result, deadline, flags, ...)                                                 \
    do {                                                                                           \
        struct wait_call wait_call_;                                                               \
        wait_call_.stage = 0;                                                                      \
        while (__builtin_expect(wait_call_.stage || (result) <= -K42_WAIT, 0) &&                   \
               wait_again(&wait_call_, &(result), (deadline), (flags)))                            \
            (result) = (__VA_ARGS__);                                                              \
    } while (0)

/*
 * Waits for the page that the fault record names and returns 0, or a negative errno, which becomes
 * the call's result. Set by the address spaces' part. Called active, in no bucket; may use
 * WAIT_CALL itself.
 */
extern k42_result (*wait_resolve_fault)(uintptr_t address, uint32_t access, uint64_t deadline,
                                        unsigned flags);

/* ---- waiting at many points: poll, select, epoll, aio, futexes ---- */

/* The point that wait_on() noted last in this thread. */
struct wait_point wait_noted(void);

/* A set is the calling thread's, on its stack or wherever; entries are the caller's memory. */
void wait_set_open(struct wait_set *set);
/*
 * Puts an entry into the table: notifications from now on are seen. wait_set_add() watches: it
 * stays until it is removed, and is told of every notification without being counted in.
 * wait_set_add_once() waits like a call: one notification takes it out and counts it.
 * Look at the state after adding.
 */
void wait_set_add(struct wait_set *set, struct wait_entry *entry, struct wait_point point);
void wait_set_add_once(struct wait_set *set, struct wait_entry *entry, struct wait_point point);

/*
 * Sleeps until an entry of the set was notified since the last time this returned 0: 0, -EINTR or
 * -ETIMEDOUT. Notified comes before the other two. Active callers leave the generation meanwhile.
 */
K42_MUST_CHECK
k42_result wait_sleep(struct wait_set *set, uint64_t deadline, unsigned flags);

/*
 * An entry that calls a function when it is notified, for as long as it is in the table. fn runs in
 * the notifier's context, with interrupts off and perhaps under locks of the notifying object: it
 * may take spin locks of its own, notify, wake threads and defer; it calls no object. Several
 * notifications may be put together into one call; calls for one entry do not overlap.
 */
void wait_watch(struct wait_entry *entry, struct wait_point point,
                void (*fn)(struct wait_entry *entry, uint32_t events));

/*
 * The same for watchers that will do for each other. Of those at a point that were put in so they
 * are told only as far as the first that has takers: whose word, its owner's, is not 0. Of errors,
 * and of what hangs up, all are. Who is a taker counts himself there before he looks at what the
 * function left, and when he goes without he looks once more after he has uncounted himself.
 */
void wait_watch_instead(struct wait_entry *entry, struct wait_point point,
                        void (*fn)(struct wait_entry *entry, uint32_t events),
                        const uint32_t *takers);

/*
 * Takes an entry out, whichever kind it is, if it still is in; afterwards nobody else knows it and
 * its memory may go. Waits for a call of its fn that is under way, so not from inside that, nor
 * with a lock that fn takes. Returns the events that came while it was in, 0: none.
 */
uint32_t wait_remove(struct wait_entry *entry);

/*
 * Tables besides the one that everything above means: for points that are moved, which only few
 * threads ever use, or all of which are looked for at once; their waiters are then nobody else's to
 * pass by. Whoever has one says where its points stand, to waiters and notifiers alike, and how
 * large it is, since what looks through it costs that (wait_table_hangup(), wait_table_move()).
 * wait_remove() finds an entry wherever it stands; its caller is active, if the table may be
 * replaced, and freed a grace period later.
 */
struct wait_table {
    struct wait_bucket *buckets; /* zeroed at first */
    unsigned shift;              /* 64 - log2 of their number */
};

static inline struct wait_bucket *wait_table_bucket(const struct wait_table *table, k42_id id,
                                                    uintptr_t key) {
    return &table->buckets[wait_mixed(id, key) >> table->shift];
}

/* As wait_watch() and wait_set_add_once(). */
void wait_table_watch(const struct wait_table *table, struct wait_entry *entry,
                      struct wait_point point,
                      void (*fn)(struct wait_entry *entry, uint32_t events));
void wait_table_add_once(const struct wait_table *table, struct wait_set *set,
                         struct wait_entry *entry, struct wait_point point);

uint32_t wait_notify_bucket(struct wait_bucket *bucket, const struct wait_point *point,
                            uint32_t count);
/* As wait_notify(). */
static inline uint32_t wait_table_notify(const struct wait_table *table,
                                         const struct wait_point *point, uint32_t count) {
    struct wait_bucket *bucket = wait_table_bucket(table, point->id, point->key);
    if (__builtin_expect(!__atomic_load_n(&bucket->waiters, __ATOMIC_RELAXED), 1))
        return 0;
    return wait_notify_bucket(bucket, point, count);
}

/* Tells whoever waits or watches there for the object, whatever the key and the events, as
 * wait_hangup() does. */
void wait_table_hangup(const struct wait_table *table, k42_id id);

/*
 * Wakes up to `wake` of the calls at `from` and makes up to `move` of the others there wait at `to`
 * instead (for the events they waited for), in one step; before it, with both places locked and
 * interrupts off, `check` is asked, if there is one. Returns how many were woken and moved, or
 * -EAGAIN when the check said no.
 */
struct wait_requeue {
    struct wait_point from, to;
    uint32_t wake, move;
    bool (*check)(void *argument);
    void *argument;
};
K42_MUST_CHECK
k42_result wait_table_requeue(const struct wait_requeue *how, const struct wait_table *from,
                              const struct wait_table *to);

/* Moves all entries of an object's points, each point's in their order. Nobody adds or notifies
 * any meanwhile; they may be removed. */
void wait_table_move(const struct wait_table *from, const struct wait_table *to, k42_id id);

/* Whether anybody waits or watches there at this moment. Any context. */
bool wait_anybody(k42_id id, uintptr_t key);

/* Makes the table for a machine with so much memory; once, by the boot CPU, when there is a heap.
 */
void wait_open(uint64_t bytes);

#endif
