/*
 * The class of epoll's sets: those interests that were told of are in a list, in the order they
 * were told of (interests.c).
 *
 * An interest stands in the wait table twice: where its file is waited for, and where the file says
 * that it ends. Whoever notifies there runs our function, with interrupts off and perhaps under
 * locks; it puts the interest on a stack of arrivals, by compare-and-swap, and notifies the set. So
 * it takes no lock, and a notification costs the same however many interests there are. A set
 * within a set is told in the same way, from inside that notification; sets cannot form a ring, so
 * that ends.
 *
 * All else is done by one call at a time, which has the set `taken` without waiting: who finds it
 * so waits at EPOLL_BUSY. First it takes the arrivals, all at once, into the list of those to be
 * asked, and ends the interests whose file has ended. Nobody but it puts anything into that list or
 * takes it out, so it may call files meanwhile: a swap of the set waits for the call, and none of
 * the files can come to wait for us.
 *
 * The races:
 *
 *   Ready against wait. An interest has arrived before the set is notified, and who is about to
 *   wait stands in the table before he looks for arrivals. One of the two sees the other.
 *
 *   Ready against ask. `arrived` is cleared before the file is asked. What happens after the answer
 *   finds it cleared and makes the interest arrive again.
 *
 *   Ready against add and change. The watch stands in the table before the file is asked for the
 *   first time, and what is ready then arrives like any other.
 *
 *   End of a file against everything. A file that ends says so, once, before it goes: `closed` is
 *   set, and the interest arrives, before any other file can have its number. Whoever has the set
 *   takes the arrivals before he looks an interest up, so he never finds one of a file that was
 *   there before. A file that ends while it is asked answers that it is stale. Adding one that is
 *   just ending cannot be: who adds it holds it.
 *
 *   Removal against notification. wait_remove() waits for our function to return, which waits for
 *   nothing; afterwards nobody knows the interest but the stack of arrivals, which is taken once
 *   more before its memory goes.
 *
 *   End of the set. Its memory goes a grace period after it was destroyed, when no call is in it.
 *   Until then functions may run, and notify a number that nobody has.
 *
 * Fails: -ENOMEM when an interest is added. Format: epoll.list, by pointer.
 */
#include "interests.h"

#include "../unnamed.h"
#include "runtime.h"

#define SET(self) ((struct epoll_body *)BODY(self))

/* ---- one call at a time ---- */

static k42_result take(struct epoll_body *set) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&set->taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(set->self, EPOLL_BUSY, WAIT_READ);
}

static void leave(struct epoll_body *set) {
    __atomic_exchange_n(&set->taken, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(set->self, EPOLL_BUSY, WAIT_READ, 1);
}

/* ---- interests ---- */

static k42_result epoll_add(struct epoll *self, const struct epoll_interest *what) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    result = interest_add(set, what);
    leave(set);
    return result;
}

static k42_result epoll_change(struct epoll *self, const struct epoll_interest *what) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    result = interest_change(set, what);
    leave(set);
    return result;
}

static k42_result epoll_remove(struct epoll *self, int number, k42_id file) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    struct interest *interest = interest_find(set, number, file);
    if (interest)
        interest_end(set, interest);
    leave(set);
    return interest ? 0 : -ENOENT;
}

static struct k42_pair epoll_find(struct epoll *self, int number, unsigned before) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return (struct k42_pair){.result = result};
    interests_take_arrivals(set);
    const struct number_entry *at = number_table_find(&set->table, (uint32_t)number);
    while (at && before--)
        at = at->next;
    k42_id file = at ? k42_container(at, const struct interest, entry)->what.file : 0;
    leave(set);
    return (struct k42_pair){at ? 0 : -ENOENT, file};
}

/* ---- collecting ---- */

/* After it was told of: once means no more, and what is not told by its edges is asked again. */
static void settle(struct epoll_body *set, struct interest *interest) {
    uint32_t events = interest->what.events;
    if (events & EPOLLONESHOT)
        __atomic_store_n(&interest->what.events, events & PRIVATE_EVENTS, __ATOMIC_RELAXED);
    else if (!(events & EPOLLET))
        interest_list(set, interest);
}

/* Each that is listed now is asked once; `more`: some are left. */
static k42_result collect(struct epoll_body *set, struct copy *copy, unsigned most) {
    k42_result told = 0, result = 0;
    for (uint32_t left = set->listed; left && told < (k42_result)most && result >= 0; left--) {
        struct interest *interest = set->first;
        interest_unlist(set, interest);
        unsigned ready = interest_ask(interest);
        if (!ready)
            continue;
        struct epoll_told event = {ready, interest->what.data};
        result = unnamed_copy_out(copy, &event, sizeof event);
        if (result < 0) {
            interest_list(set, interest); /* for the next who asks */
            break;
        }
        settle(set, interest);
        told++;
    }
    return told ? told : result;
}

static k42_result epoll_collect(struct epoll *self, struct copy *copy, unsigned most) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    result = collect(set, copy, most);
    bool more = set->first;
    leave(set);
    if (!result)
        return wait_on(set->self, EPOLL_READY, WAIT_READ);
    if (more)
        (void)!wait_notify(set->self, EPOLL_READY, WAIT_READ, 1);
    return result;
}

static k42_result epoll_waits(struct epoll *self, int change) {
    __atomic_fetch_add(&SET(self)->collectors, (uint32_t)change, __ATOMIC_SEQ_CST);
    return 0;
}

/* Those at the head that are not ready after all are not asked again. */
static bool any_ready(struct epoll_body *set) {
    while (set->first && !interest_ask(set->first))
        interest_unlist(set, set->first);
    return set->first;
}

static k42_result epoll_ready(struct epoll *self) {
    struct epoll_body *set = SET(self);
    if (take(set) < 0)
        return __atomic_load_n(&set->arrivals, __ATOMIC_SEQ_CST) ||
               __atomic_load_n(&set->first, __ATOMIC_RELAXED);
    interests_take_arrivals(set);
    bool ready = any_ready(set);
    leave(set);
    return ready;
}

/* ---- sets in sets ---- */

static k42_result look_below(struct epoll_body *set, k42_id sought, uint64_t round) {
    k42_result deepest = 0;
    for (struct interest *one = set->inner; one; one = one->next_inner) {
        if (one->what.inner == sought)
            return -ELOOP;
        k42_result below = k42_call((epoll_ref)k42_id_ref(one->what.inner), below, sought, round);
        if (below == -ELOOP || below == -K42_WAIT)
            return below;
        deepest = below >= deepest ? below + 1 : deepest;
    }
    set->round = round;
    set->below = (uint32_t)deepest;
    return deepest;
}

static k42_result epoll_below(struct epoll *self, k42_id sought, uint64_t round) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    result = set->round == round ? (k42_result)set->below : look_below(set, sought, round);
    leave(set);
    return result;
}

/* Before those below have learnt of it nothing is noted: it may have to be tried again. */
static k42_result raise(struct epoll_body *set, unsigned above) {
    for (struct interest *one = set->inner; one; one = one->next_inner) {
        k42_result result = k42_call((epoll_ref)k42_id_ref(one->what.inner), above, above + 1);
        if (result == -K42_WAIT)
            return result;
    }
    return set->above = above;
}

static k42_result epoll_above(struct epoll *self, unsigned above) {
    struct epoll_body *set = SET(self);
    k42_result result = take(set);
    if (result < 0)
        return result;
    interests_take_arrivals(set);
    result = above > set->above ? raise(set, above) : set->above;
    leave(set);
    return result;
}

/* ---- the class ---- */

static k42_result epoll_describe(struct k42_object *self, char *text, size_t size) {
    struct epoll_body *set = SET(self);
    return (k42_result)k42_format_text(text, size, "interests in files, %u to be asked%s",
                                       __atomic_load_n(&set->listed, __ATOMIC_RELAXED),
                                       set->arrivals ? " and more" : "");
}

static const struct epoll_ops list_ops = {
    .object.describe = epoll_describe,
    .add = epoll_add,
    .change = epoll_change,
    .remove = epoll_remove,
    .collect = epoll_collect,
    .waits = epoll_waits,
    .ready = epoll_ready,
    .below = epoll_below,
    .above = epoll_above,
    .find = epoll_find,
};

static void list_fini(struct k42_root *root) {
    struct epoll_body *set = body_of_root(root);
    if (!set)
        return;
    k42_enter();
    interests_end(set);
    k42_exit();
    k42_platform_free(set);
}

static const struct k42_format list_format = {"epoll.list", 1, 1};
static const struct k42_transfer list_transfers[] = BODY_TRANSFERS(list_format);

K42_CLASS(epoll_list) = {
    .name = "epoll.list",
    .interface = &epoll_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &list_ops,
    .fini = list_fini,
    .transfers = list_transfers,
};

k42_result epoll_make(epoll_ref *made) {
    struct epoll_body *set = k42_platform_alloc(sizeof *set);
    k42_ref ref;
    k42_result result = set ? k42_make(&epoll_list, set, &ref) : -ENOMEM;
    if (result < 0) {
        k42_platform_free(set);
        return result;
    }
    set->self = k42_ref_id(ref);
    *made = (epoll_ref)ref;
    return 0;
}
