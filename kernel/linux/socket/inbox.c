/*
 * What inboxes have in common: holders, putting, ends, and the list of parcels. See inbox_body.h.
 */
#include "inbox_body.h"

#include "../process/lives.h"
#include "flight.h"
#include "runtime.h"

/* ---- holders ---- */

k42_result inbox_hold(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    uint32_t holds = __atomic_load_n(&inbox->holds, __ATOMIC_RELAXED);
    while (holds)
        if (__atomic_compare_exchange_n(&inbox->holds, &holds, holds + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return 0;
    return -K42_STALE;
}

k42_result inbox_release(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    if (!__atomic_sub_fetch(&inbox->holds, 1, __ATOMIC_ACQ_REL)) {
        (void)!k42_destroy(k42_id_ref(inbox->self));
        wait_hangup(inbox->self, INBOX_PARCELS);
    }
    return 0;
}

k42_result inbox_make(struct k42_class *class_, inbox_ref *made) {
    struct inbox_body *inbox = k42_platform_alloc(sizeof *inbox);
    k42_ref ref;
    if (!inbox)
        return -ENOMEM;
    inbox->holds = 1;
    inbox->error_first = class_ == &inbox_parcels;
    inbox->most_bytes = INBOX_BYTES;
    inbox->most_parcels = INBOX_PARCELS_MOST;
    k42_result result = k42_make(class_, inbox, &ref);
    if (result < 0) {
        k42_platform_free(inbox);
        return result;
    }
    inbox->self = k42_ref_id(ref);
    *made = (inbox_ref)ref;
    return 0;
}

static void throw_away(struct parcel *parcel) {
    while (parcel) {
        struct parcel *next = parcel->next;
        parcel_free(parcel);
        parcel = next;
    }
}

void inbox_fini(struct k42_root *root) {
    struct inbox_body *inbox = body_of_root(root);
    if (!inbox)
        return;
    throw_away(inbox->first);
    credentials_release(inbox->credentials);
    k42_platform_free(inbox);
}

/* ---- the list ---- */

static bool has_room(const struct inbox_body *inbox) {
    return inbox->used <= inbox->most_bytes / 4 && inbox->parcels < inbox->most_parcels;
}

/* With the lock. True: those who wait for room are to be told. */
static bool forget_first(struct inbox_body *inbox) {
    struct parcel *parcel = inbox->first;
    inbox->first = parcel->next;
    if (!inbox->first)
        inbox->last = NULL;
    if (inbox->urgent == parcel)
        inbox->urgent = NULL;
    inbox->bytes -= parcel->length - parcel->taken;
    inbox->used -= parcel->length + PARCEL_COST;
    inbox->parcels--;
    bool tell = inbox->room_wanted && has_room(inbox);
    inbox->room_wanted &= !tell;
    return tell;
}

static void tell_room(struct inbox_body *inbox, bool tell) {
    if (tell)
        (void)!wait_notify(inbox->self, INBOX_PARCELS, WAIT_WRITE, WAIT_ALL);
}

/* With `taking`. */
static bool empty(struct inbox_body *inbox) {
    k42_lock(&inbox->lock);
    struct parcel *first = inbox->first;
    inbox->first = inbox->last = inbox->urgent = NULL;
    inbox->bytes = inbox->used = inbox->parcels = 0;
    k42_unlock(&inbox->lock);
    throw_away(first);
    return first;
}

k42_result inbox_begin(struct inbox_body *inbox) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&inbox->taking, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(inbox->self, INBOX_TAKING, WAIT_READ);
}

/* Who ends the inbox sets `dead` before it looks at `taking`, and we the other way round: one of us
 * throws away what is left. */
void inbox_leave(struct inbox_body *inbox) {
    __atomic_exchange_n(&inbox->taking, 0, __ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&inbox->dead, __ATOMIC_SEQ_CST), 0) &&
        inbox_begin(inbox) >= 0) {
        (void)empty(inbox);
        __atomic_exchange_n(&inbox->taking, 0, __ATOMIC_SEQ_CST);
    }
    (void)!wait_notify(inbox->self, INBOX_TAKING, WAIT_READ, 1);
}

/* With the lock. An error is forgotten when it is told. */
static k42_result why_nothing(struct inbox_body *inbox) {
    k42_result error = inbox->error;
    inbox->error = 0;
    return error ? error
           : inbox->shut
               ? 0
               : wait_on(inbox->self, INBOX_PARCELS, WAIT_READ | WAIT_ERROR | WAIT_HANGUP);
}

k42_result inbox_nothing(struct inbox_body *inbox) {
    k42_lock(&inbox->lock);
    k42_result why = why_nothing(inbox);
    k42_unlock(&inbox->lock);
    return why;
}

struct parcel *inbox_first(struct inbox_body *inbox, k42_result *why) {
    k42_lock(&inbox->lock);
    struct parcel *first = inbox->first;
    if (why && inbox->error && inbox->error_first)
        first = NULL;
    if (!first && why)
        *why = why_nothing(inbox);
    k42_unlock(&inbox->lock);
    return first;
}

/* The byte is a parcel by itself, which stays as a mark when it has been taken. */
static bool is_mark(const struct inbox_body *inbox, const struct parcel *parcel) {
    return parcel->urgent && (parcel == inbox->urgent || parcel->taken == parcel->length);
}

bool inbox_is_mark(struct inbox_body *inbox, const struct parcel *parcel) {
    k42_lock(&inbox->lock);
    bool mark = is_mark(inbox, parcel);
    k42_unlock(&inbox->lock);
    return mark;
}

struct parcel *inbox_urgent(struct inbox_body *inbox) {
    k42_lock(&inbox->lock);
    struct parcel *urgent = inbox->urgent;
    k42_unlock(&inbox->lock);
    return urgent;
}

void inbox_pass_mark(struct inbox_body *inbox, struct parcel *parcel, bool taken) {
    k42_lock(&inbox->lock);
    if (inbox->urgent == parcel)
        inbox->urgent = NULL;
    if (taken) {
        inbox->bytes -= parcel->length - parcel->taken;
        parcel->taken = parcel->length;
    }
    k42_unlock(&inbox->lock);
}

void inbox_left(struct inbox_body *inbox) {
    k42_lock(&inbox->lock);
    bool more = inbox->first;
    k42_unlock(&inbox->lock);
    if (more)
        (void)!wait_notify(inbox->self, INBOX_PARCELS, WAIT_READ, 1);
}

struct parcel *inbox_next(struct inbox_body *inbox, const struct parcel *parcel) {
    k42_lock(&inbox->lock);
    struct parcel *next = parcel->next;
    k42_unlock(&inbox->lock);
    return next;
}

void inbox_taken(struct inbox_body *inbox, uint64_t bytes, bool whole) {
    struct parcel *parcel = inbox->first;
    bool tell = false;
    k42_lock(&inbox->lock);
    parcel->taken += bytes;
    inbox->bytes -= bytes;
    if (whole)
        tell = forget_first(inbox);
    k42_unlock(&inbox->lock);
    if (whole)
        parcel_free(parcel);
    tell_room(inbox, tell);
}

k42_result inbox_tell(struct inbox_body *inbox, struct parcel *parcel,
                      struct inbox_taking *taking) {
    struct parcel_files *files = parcel->files;
    if (files && taking->peeks) {
        files = parcel_files_copy(files);
        if (!files)
            return -ENOMEM;
    } else if (files) {
        k42_result result = flight_land(files);
        if (result < 0)
            return result;
        k42_lock(&inbox->lock);
        parcel->files = NULL;
        k42_unlock(&inbox->lock);
    }
    taking->files = files;
    taking->got = true;
    taking->owner = parcel->owner;
    taking->from = parcel->from;
    taking->length = parcel->length;
    taking->when = parcel->when;
    return 0;
}

struct k42_pair inbox_pop(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    struct k42_pair got = {.result = inbox_begin(inbox)};
    bool tell = false;
    if (got.result < 0)
        return got;
    struct parcel *parcel = inbox_first(inbox, &got.result);
    if (!parcel && !got.result)
        got.result = -EINVAL;
    if (parcel && parcel->files)
        got.result = flight_land(parcel->files);
    if (parcel && got.result >= 0) {
        k42_lock(&inbox->lock);
        tell = forget_first(inbox);
        k42_unlock(&inbox->lock);
        got.word = (uintptr_t)parcel;
    }
    inbox_leave(inbox);
    tell_room(inbox, tell);
    return got;
}

/* ---- putting ---- */

k42_result inbox_only(struct inbox *self, k42_id from) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    inbox->only = from;
    k42_unlock(&inbox->lock);
    return 0;
}

k42_result inbox_room(struct inbox *self, uint64_t length, k42_id from) {
    struct inbox_body *inbox = INBOX(self);
    k42_result result = 0;
    k42_lock(&inbox->lock);
    if (inbox->shut || inbox->dead) {
        result = inbox->dead ? -ECONNREFUSED : -EPIPE;
    } else if (inbox->only && inbox->only != from) {
        result = -EPERM;
    } else if (length > inbox->most_bytes - 32) {
        result = -EMSGSIZE;
    } else if (inbox->used >= inbox->most_bytes || inbox->parcels >= inbox->most_parcels) {
        inbox->room_wanted = true;
        result = wait_on(inbox->self, INBOX_PARCELS, WAIT_WRITE | WAIT_ERROR | WAIT_HANGUP);
    }
    k42_unlock(&inbox->lock);
    return result;
}

/* With the lock. Of urgent bytes the last alone is one: those before go with the others. */
static void add_last(struct inbox_body *inbox, struct parcel *parcel) {
    parcel->next = NULL;
    if (inbox->last)
        inbox->last->next = parcel;
    else
        inbox->first = parcel;
    inbox->last = parcel;
    if (parcel->urgent && inbox->urgent)
        inbox->urgent->urgent = false;
    if (parcel->urgent)
        inbox->urgent = parcel;
    inbox->bytes += parcel->length;
    inbox->used += parcel->length + PARCEL_COST;
    inbox->parcels++;
}

k42_result inbox_put(struct inbox *self, struct parcel *parcel) {
    struct inbox_body *inbox = INBOX(self);
    uint32_t events = WAIT_READ | (parcel->urgent ? FILE_URGENT : 0);
    k42_lock(&inbox->lock);
    k42_result result = inbox->dead ? -ECONNREFUSED : inbox->shut ? -EPIPE : 0;
    if (!result)
        add_last(inbox, parcel); /* and from now on it may be somebody else's */
    k42_unlock(&inbox->lock);
    if (!result) {
        (void)!wait_notify(inbox->self, INBOX_PARCELS, WAIT_READ, 1);
        (void)!wait_notify(inbox->self, INBOX_POLL, events, WAIT_ALL);
    }
    return result;
}

/* ---- ends ---- */

static void tell_end(struct inbox_body *inbox) {
    uint32_t all = WAIT_READ | WAIT_WRITE | WAIT_ERROR | WAIT_HANGUP | FILE_PEER_CLOSED;
    (void)!wait_notify(inbox->self, INBOX_PARCELS, all, WAIT_ALL);
    (void)!wait_notify(inbox->self, INBOX_POLL, all, WAIT_ALL);
}

k42_result inbox_shut(struct inbox *self, int reason) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    inbox->shut = true;
    if (reason)
        inbox->error = reason;
    k42_unlock(&inbox->lock);
    tell_end(inbox);
    return 0;
}

k42_result inbox_end(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    bool any = inbox->first;
    inbox->shut = true;
    __atomic_store_n(&inbox->dead, true, __ATOMIC_SEQ_CST);
    k42_unlock(&inbox->lock);
    if (!__atomic_exchange_n(&inbox->taking, 1, __ATOMIC_SEQ_CST)) {
        (void)empty(inbox);
        inbox_leave(inbox);
    }
    tell_end(inbox);
    return any;
}

k42_result inbox_clear(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    k42_result result = inbox_begin(inbox);
    if (result < 0)
        return result;
    bool any = empty(inbox);
    inbox_leave(inbox);
    tell_room(inbox, any);
    return any;
}

k42_result inbox_fail(struct inbox *self, k42_id from, int reason) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    bool fails = inbox->only == from && !inbox->dead;
    if (fails)
        inbox->error = reason;
    k42_unlock(&inbox->lock);
    if (fails) {
        (void)!wait_notify(inbox->self, INBOX_PARCELS, WAIT_ERROR, WAIT_ALL);
        (void)!wait_notify(inbox->self, INBOX_POLL, WAIT_ERROR, WAIT_ALL);
    }
    return 0;
}

k42_result inbox_error(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    k42_result error = inbox->error;
    inbox->error = 0;
    k42_unlock(&inbox->lock);
    return error;
}

/* ---- looking ---- */

/* With the lock. A mark whose byte was taken is one until what stands behind it is. */
static bool at_mark(const struct inbox_body *inbox) {
    const struct parcel *first = inbox->first;
    if (!first || first == inbox->urgent)
        return first;
    return is_mark(inbox, first) && (!inbox->urgent || first->next == inbox->urgent);
}

k42_result inbox_look(struct inbox *self, struct inbox_look *look) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    const struct parcel *first = inbox->first;
    bool room = has_room(inbox);
    look->bytes = inbox->bytes;
    look->first = first ? first->length - first->taken : 0;
    look->parcels = inbox->parcels;
    look->error = inbox->error;
    look->shut = inbox->shut;
    look->dead = inbox->dead;
    look->room = room;
    look->urgent = inbox->urgent;
    look->at_mark = at_mark(inbox);
    if (!room)
        inbox->room_wanted = true;
    k42_unlock(&inbox->lock);
    return 0;
}

k42_result inbox_each_file(struct inbox *self, void (*fn)(k42_id file, void *argument),
                           void *argument) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    for (const struct parcel *parcel = inbox->first; parcel; parcel = parcel->next)
        for (unsigned i = 0; parcel->files && i < parcel->files->count; i++)
            fn(k42_ref_id(parcel->files->file[i].ref), argument);
    k42_unlock(&inbox->lock);
    return 0;
}
