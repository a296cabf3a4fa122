/*
 * Files on their way. See flight.h.
 *
 * The gate counts who is within, by an operation that is a full barrier, and is looked at after
 * that; who closes it does so before it looks at the count. So either he who enters sees it closed
 * and goes back, or who closes it sees him, and comes again.
 *
 * Files that are thrown away are put on a stack, which one thread at a time empties: a file that
 * ends may be a socket with parcels, whose files are thrown away by that, and so on, as long a
 * chain as a program likes to make; each link of it is put on the stack and not gone down to. They
 * wait there while the gate is closed, which whoever opens it makes up for.
 *
 * Locking: a bucket's lock, leaf, for the sockets in it. Cannot fail.
 */
#include "flight.h"

#include "../../fs/file.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../process/users.h"

#include <k42/lock.h>

#define BUCKETS   256u
#define ENTRANCES 64u

static struct bucket {
    struct k42_lock lock;
    struct parcel_file *first;
} buckets[BUCKETS];

/* Who is within, by CPUs, in lines of their own: who has entered stays active, and so on his CPU.
 */
static struct entrance {
    uint32_t within;
    char apart[60];
} entrances[ENTRANCES] __attribute__((aligned(64)));

/* What is looked at often and seldom changed, and the rest; all atomic. */
static struct {
    uint32_t closed;
    uint32_t passed; /* messages with sockets that programs have sent */
    char apart[56];
    uint32_t emptying;
    uint32_t collecting, again;
    struct parcel_files *thrown_away;
} flights __attribute__((aligned(64)));

/* ---- the gate ---- */

static struct entrance *own_entrance(void) {
    return &entrances[(unsigned)k42_cpu() % ENTRANCES];
}

static bool try_enter(void) {
    struct entrance *entrance = own_entrance();
    __atomic_fetch_add(&entrance->within, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&flights.closed, __ATOMIC_SEQ_CST))
        return true;
    __atomic_fetch_sub(&entrance->within, 1, __ATOMIC_SEQ_CST);
    return false;
}

k42_result flight_enter(void) {
    return try_enter() ? 0 : wait_on(WAIT_NO_OBJECT, (uintptr_t)&flights, WAIT_READ);
}

void flight_leave(void) {
    __atomic_fetch_sub(&own_entrance()->within, 1, __ATOMIC_SEQ_CST);
}

bool flight_close_gate(void) {
    uint32_t within = 0;
    __atomic_exchange_n(&flights.closed, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < ENTRANCES; i++)
        within |= __atomic_load_n(&entrances[i].within, __ATOMIC_SEQ_CST);
    return !within;
}

static void empty(void);

void flight_open_gate(void) {
    __atomic_exchange_n(&flights.closed, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(WAIT_NO_OBJECT, (uintptr_t)&flights, WAIT_READ, WAIT_ALL);
    empty();
}

/* ---- which are on their way ---- */

static struct bucket *bucket_of(k42_ref file) {
    return &buckets[k42_ref_id(file) * 0x9e3779b9u >> 24];
}

static void add(struct parcel_file *file) {
    struct bucket *bucket = bucket_of(file->ref);
    k42_lock(&bucket->lock);
    file->next = bucket->first;
    bucket->first = file;
    k42_unlock(&bucket->lock);
}

static void take_out(struct parcel_file *file) {
    struct bucket *bucket = bucket_of(file->ref);
    k42_lock(&bucket->lock);
    struct parcel_file **link = &bucket->first;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    k42_unlock(&bucket->lock);
}

void flight_begin(struct parcel_files *files) {
    for (unsigned i = 0; files->sockets && i < files->count; i++)
        if (files->file[i].is_socket)
            add(&files->file[i]);
    if (files->sockets && files->passed)
        __atomic_fetch_add(&flights.passed, 1, __ATOMIC_SEQ_CST);
}

void flight_end(struct parcel_files *files) {
    for (unsigned i = 0; files->sockets && i < files->count; i++)
        if (files->file[i].is_socket)
            take_out(&files->file[i]);
    if (files->sockets && files->passed)
        __atomic_fetch_sub(&flights.passed, 1, __ATOMIC_SEQ_CST);
}

k42_result flight_land(struct parcel_files *files) {
    if (files->sockets) {
        k42_result result = flight_enter();
        if (result < 0)
            return result;
        flight_end(files);
        files->sockets = false;
        flight_leave();
    }
    if (files->charged)
        user_remove_files(files->uid, files->charged);
    files->charged = 0;
    return 0;
}

static void count_one(k42_id file, void *count) {
    (void)file;
    ++*(unsigned *)count;
}

unsigned flight_count(void) {
    unsigned count = 0;
    flight_each(count_one, &count);
    return count;
}

void flight_each(void (*fn)(k42_id file, void *argument), void *argument) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        k42_lock(&buckets[i].lock);
        for (const struct parcel_file *file = buckets[i].first; file; file = file->next)
            fn(k42_ref_id(file->ref), argument);
        k42_unlock(&buckets[i].lock);
    }
}

/* ---- those that are thrown away ---- */

/* Within the gate. */
static void let_go_all(void) {
    struct parcel_files *files;
    while ((files = __atomic_exchange_n(&flights.thrown_away, NULL, __ATOMIC_SEQ_CST)))
        for (struct parcel_files *next; files; files = next) {
            next = files->next;
            flight_end(files);
            parcel_files_free(files);
        }
}

/*
 * Whoever finds somebody at it leaves it to him, who looks again after he has said that he is not
 * at it any more; and who finds the gate closed leaves it to whoever opens that, but looks again,
 * too, in case that one found us at it.
 */
static void empty(void) {
    bool active = k42_active(), entered;
    if (!active)
        k42_enter();
    do {
        if (__atomic_exchange_n(&flights.emptying, 1, __ATOMIC_SEQ_CST))
            break;
        entered = try_enter();
        if (entered) {
            let_go_all();
            flight_leave();
        }
        __atomic_exchange_n(&flights.emptying, 0, __ATOMIC_SEQ_CST);
    } while (__atomic_load_n(&flights.thrown_away, __ATOMIC_SEQ_CST) &&
             (entered || !__atomic_load_n(&flights.closed, __ATOMIC_SEQ_CST)));
    if (!active)
        k42_exit();
}

void flight_throw_away(struct parcel_files *files) {
    struct parcel_files *first = __atomic_load_n(&flights.thrown_away, __ATOMIC_RELAXED);
    do
        files->next = first;
    while (!__atomic_compare_exchange_n(&flights.thrown_away, &first, files, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    empty();
}

/* ---- looking for rings ---- */

/* A closing that comes while it is looked makes it be looked once more. */
void flight_closed(void) {
    if (__builtin_expect(!__atomic_load_n(&flights.passed, __ATOMIC_SEQ_CST), 1))
        return;
    __atomic_store_n(&flights.again, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_exchange_n(&flights.collecting, 1, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&flights.again, 0, __ATOMIC_SEQ_CST);
        collect_begin();
    }
}

void collect_ended(void) {
    __atomic_exchange_n(&flights.collecting, 0, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&flights.again, 0, __ATOMIC_SEQ_CST))
        flight_closed();
}
