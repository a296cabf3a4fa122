/*
 * Epoll's interests: how they are told of, in any context, and what whoever has the set does with
 * them. epoll.c has the races. Fails: -ENOMEM when one is added.
 */
#include "interests.h"

#include "../../../mem/heap/heap.h"
#include "../../readiness.h"

#include <k42/k42.h>

/* ---- arriving: in any context ---- */

static void arrive(struct interest *interest) {
    struct epoll_body *set = interest->set;
    struct interest *first = __atomic_load_n(&set->arrivals, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&interest->arrived, 1, __ATOMIC_SEQ_CST))
        return;
    do
        interest->next_arrived = first;
    while (!__atomic_compare_exchange_n(&set->arrivals, &first, interest, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    (void)!wait_notify(set->self, EPOLL_READY, WAIT_READ, 1);
}

static bool is_silent(const struct interest *interest) {
    return !(__atomic_load_n(&interest->what.events, __ATOMIC_RELAXED) & ~PRIVATE_EVENTS);
}

static void on_ready(struct wait_entry *entry, uint32_t events) {
    struct interest *interest = k42_container(entry, struct interest, ready);
    (void)events;
    if (!is_silent(interest))
        arrive(interest);
}

static void on_end(struct wait_entry *entry, uint32_t events) {
    struct interest *interest = k42_container(entry, struct interest, end);
    (void)events;
    __atomic_store_n(&interest->closed, 1, __ATOMIC_RELEASE);
    arrive(interest);
}

/* ---- with the set taken: those to be asked ---- */

void interest_list(struct epoll_body *set, struct interest *interest) {
    if (interest->listed)
        return;
    interest->listed = true;
    interest->next = NULL;
    interest->before = set->last;
    if (set->last)
        set->last->next = interest;
    else
        set->first = interest;
    set->last = interest;
    set->listed++;
}

void interest_unlist(struct epoll_body *set, struct interest *interest) {
    if (!interest->listed)
        return;
    interest->listed = false;
    set->listed--;
    if (interest->next)
        interest->next->before = interest->before;
    else
        set->last = interest->before;
    if (interest->before)
        interest->before->next = interest->next;
    else
        set->first = interest->next;
}

/* Nobody tells of it any more. What has arrived is freed when the arrivals are taken. */
void interest_end(struct epoll_body *set, struct interest *interest) {
    struct interest **link = &set->inner;
    (void)wait_remove(&interest->ready);
    (void)wait_remove(&interest->end);
    interest_unlist(set, interest);
    number_table_remove(&set->table, &interest->entry);
    while (interest->what.inner && *link && *link != interest)
        link = &(*link)->next_inner;
    if (interest->what.inner && *link)
        *link = interest->next_inner;
    interest->gone = true;
    if (!__atomic_load_n(&interest->arrived, __ATOMIC_ACQUIRE))
        heap_free(interest);
}

/* Those that have come, the first first. */
static struct interest *arrivals_in_order(struct epoll_body *set) {
    struct interest *latest = __atomic_exchange_n(&set->arrivals, NULL, __ATOMIC_SEQ_CST);
    struct interest *first = NULL;
    while (latest) {
        struct interest *earlier = latest->next_arrived;
        latest->next_arrived = first;
        first = latest;
        latest = earlier;
    }
    return first;
}

void interests_take_arrivals(struct epoll_body *set) {
    if (!__atomic_load_n(&set->arrivals, __ATOMIC_SEQ_CST))
        return;
    for (struct interest *one = arrivals_in_order(set), *next; one; one = next) {
        next = one->next_arrived;
        __atomic_exchange_n(&one->arrived, 0, __ATOMIC_SEQ_CST);
        if (one->gone)
            heap_free(one);
        else if (__atomic_load_n(&one->closed, __ATOMIC_ACQUIRE))
            interest_end(set, one);
        else
            interest_list(set, one);
    }
}

struct interest *interest_find(struct epoll_body *set, int number, k42_id file) {
    struct number_entry *entry = number_table_find(&set->table, (uint32_t)number);
    for (; entry; entry = entry->next) {
        struct interest *interest = k42_container(entry, struct interest, entry);
        if (interest->what.file == file)
            return interest;
    }
    return NULL;
}

/* What its file is ready for, of what is wanted. */
unsigned interest_ask(const struct interest *interest) {
    if (is_silent(interest))
        return 0;
    k42_result ready = k42_call((file_ref)k42_id_ref(interest->what.file), poll, NULL);
    return ready < 0 ? 0
                     : readiness_told((unsigned)ready) & interest->what.events & ~PRIVATE_EVENTS;
}

/* ---- interests ---- */

/* From here on it is told of; what it is ready for already arrives, too. */
static void watch(struct interest *interest, const struct file_poll *where) {
    struct wait_point point = {
        .id = where->object, .key = where->key, .events = readiness_events(interest->what.events)};
    if (interest->what.events & EPOLLEXCLUSIVE)
        wait_watch_instead(&interest->ready, point, on_ready, &interest->set->collectors);
    else
        wait_watch(&interest->ready, point, on_ready);
    if (interest_ask(interest))
        arrive(interest);
}

k42_result interest_add(struct epoll_body *set, const struct epoll_interest *what) {
    struct file_poll where = {0};
    if (interest_find(set, what->number, what->file))
        return -EEXIST;
    k42_result result = k42_call((file_ref)k42_id_ref(what->file), poll, &where);
    if (result < 0 || !where.object)
        return -EPERM;
    struct interest *interest = heap_allocate_zeroed(sizeof *interest);
    if (!interest)
        return -ENOMEM;
    interest->set = set;
    interest->what = *what;
    interest->entry.number = (uint32_t)what->number;
    result = number_table_add(&set->table, &interest->entry);
    if (result < 0) {
        heap_free(interest);
        return result;
    }
    if (what->inner) {
        interest->next_inner = set->inner;
        set->inner = interest;
    }
    struct wait_point end = {.id = what->file, .key = FILE_ENDS, .events = (uint32_t)WAIT_ANY};
    wait_watch(&interest->end, end, on_end);
    watch(interest, &where);
    return 0;
}

k42_result interest_change(struct epoll_body *set, const struct epoll_interest *what) {
    struct interest *interest = interest_find(set, what->number, what->file);
    struct file_poll where = {0};
    if (!interest)
        return -ENOENT;
    if (interest->what.events & EPOLLEXCLUSIVE)
        return -EINVAL;
    (void)!k42_call((file_ref)k42_id_ref(what->file), poll, &where);
    (void)wait_remove(&interest->ready);
    interest->what.data = what->data;
    __atomic_store_n(&interest->what.events, what->events, __ATOMIC_RELAXED);
    watch(interest, &where);
    return 0;
}

static void forget(struct number_entry *entry) {
    struct interest *interest = k42_container(entry, struct interest, entry);
    (void)wait_remove(&interest->ready);
    (void)wait_remove(&interest->end);
    heap_free(interest);
}

/* Those that are gone and have arrived are in no table. */
void interests_end(struct epoll_body *set) {
    for (struct interest *one = arrivals_in_order(set), *next; one; one = next) {
        next = one->next_arrived;
        if (one->gone)
            heap_free(one);
    }
    number_table_end(&set->table, forget);
}
