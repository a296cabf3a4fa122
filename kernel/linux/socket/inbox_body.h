/*
 * The inside of inboxes, for their classes: what both have in common is in inbox.c.
 *
 * Parcels are a list, added to at one end under the lock and taken from at the other by the one
 * call that has `taking`, which copies from them without the lock. Who ends the inbox meanwhile
 * leaves what is in it to that call.
 *
 * Locking: `lock`, of everything but `taking`; leaf. No wake-up is lost: what is waited for is
 * looked at and changed under the lock, and told after it.
 */
#ifndef KERNEL_LINUX_INBOX_BODY_H
#define KERNEL_LINUX_INBOX_BODY_H

#include "inbox.h"

#include "../../body.h"
#include "../../fs/file.h"
#include "../../sched/wait.h"

#include <errno.h>
#include <k42/lock.h>

struct inbox_body {
    k42_id self;
    uint32_t holds;
    uint32_t taking; /* atomic */
    struct k42_lock lock;
    struct parcel *first, *last;
    struct parcel *urgent; /* the one with the urgent byte, which nobody has taken; or NULL */
    uint64_t used;         /* of most_bytes, PARCEL_COST for each parcel included */
    uint64_t bytes, most_bytes;
    uint32_t parcels, most_parcels;
    int32_t error;
    k42_id only;
    bool shut, dead;
    bool room_wanted;                /* somebody found that there is none */
    bool error_first;                /* an error is told before what came earlier; constant */
    struct credentials *credentials; /* held, or NULL */
    struct socket_owner owner;
    struct socket_address address;
};

#define INBOX(self) ((struct inbox_body *)BODY(self))
/* Small parcels cost memory, too. */
#define PARCEL_COST 256u

/* One call at a time: 0, or -K42_WAIT. */
K42_MUST_CHECK
k42_result inbox_begin(struct inbox_body *inbox);
void inbox_leave(struct inbox_body *inbox);

/* With `taking`: the first parcel; NULL: none, and *why, unless that is NULL, is what the call
 * answers: what was left as an error is forgotten then. */
struct parcel *inbox_first(struct inbox_body *inbox, k42_result *why);
/* What a call answers that finds nothing to take, as inbox_first() tells it. */
K42_MUST_CHECK
k42_result inbox_nothing(struct inbox_body *inbox);
/* With `taking`: whether a parcel stands where the urgent byte is or was; the one that has it, or
 * NULL; and that byte is one of the others from now on, or `taken`, and its parcel a mark. */
bool inbox_is_mark(struct inbox_body *inbox, const struct parcel *parcel);
struct parcel *inbox_urgent(struct inbox_body *inbox);
void inbox_pass_mark(struct inbox_body *inbox, struct parcel *parcel, bool taken);
/* After taking that may leave something, as one that fails does: who else waits learns that there
 * is more, since one alone is told of each parcel, perhaps the one that has just failed. */
void inbox_left(struct inbox_body *inbox);
/* The one behind it, or NULL. */
struct parcel *inbox_next(struct inbox_body *inbox, const struct parcel *parcel);
/* So many bytes more of the first were taken; `whole`: it goes. */
void inbox_taken(struct inbox_body *inbox, uint64_t bytes, bool whole);
/* What goes along with a parcel's bytes. -ENOMEM, -K42_WAIT: nothing does. */
K42_MUST_CHECK
k42_result inbox_tell(struct inbox_body *inbox, struct parcel *parcel, struct inbox_taking *taking);

/* ---- the methods that are the same in both ---- */

k42_result inbox_describe(struct k42_object *self, char *text, size_t size);
k42_result inbox_hold(struct inbox *self);
k42_result inbox_release(struct inbox *self);
k42_result inbox_room(struct inbox *self, uint64_t length, k42_id from);
k42_result inbox_only(struct inbox *self, k42_id from);
k42_result inbox_put(struct inbox *self, struct parcel *parcel);
struct k42_pair inbox_pop(struct inbox *self);
k42_result inbox_look(struct inbox *self, struct inbox_look *look);
k42_result inbox_shut(struct inbox *self, int reason);
k42_result inbox_end(struct inbox *self);
k42_result inbox_error(struct inbox *self);
k42_result inbox_clear(struct inbox *self);
k42_result inbox_fail(struct inbox *self, k42_id from, int reason);
k42_result inbox_each_file(struct inbox *self, void (*fn)(k42_id file, void *argument),
                           void *argument);
k42_result inbox_limit(struct inbox *self, uint64_t bytes, uint32_t parcels);
k42_result inbox_set_owner(struct inbox *self, const struct socket_owner *owner,
                           const struct socket_address *address);
k42_result inbox_owner(struct inbox *self, struct socket_owner *owner,
                       struct socket_address *address);
k42_result inbox_set_credentials(struct inbox *self, struct credentials *credentials);
struct k42_pair inbox_credentials(struct inbox *self);
void inbox_fini(struct k42_root *root);

extern struct k42_class inbox_parcels;

/* Makes one of a class, with one hold. -ENOMEM. */
K42_MUST_CHECK
k42_result inbox_make(struct k42_class *class_, inbox_ref *made);

#define INBOX_METHODS                                                                              \
    .object.describe = inbox_describe, .hold = inbox_hold, .release = inbox_release,               \
    .room = inbox_room, .only = inbox_only, .put = inbox_put, .pop = inbox_pop,                    \
    .look = inbox_look, .shut = inbox_shut, .end = inbox_end, .error = inbox_error,                \
    .each_file = inbox_each_file, .limit = inbox_limit, .set_owner = inbox_set_owner,              \
    .owner = inbox_owner, .clear = inbox_clear, .fail = inbox_fail,                                \
    .set_credentials = inbox_set_credentials, .credentials = inbox_credentials

#endif
