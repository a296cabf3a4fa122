/*
 * The inside of local sockets, for their classes: what the kinds have in common is in
 * socket_body.c.
 *
 * The races. Control (bind, connect, listen, ends of both) is done by one call at a time, which has
 * the socket `busy` without waiting. Whoever sends reads `peer` once, by an atomic load: it is set
 * once in a stream's life; a datagram's socket lets one peer go for another, whose inbox stays
 * callable, or stale, for all who have read it until they leave their generation. It is taken away
 * by an exchange, by whoever comes first: a call that finds it dead, or the end. A socket ends when
 * its file does, which calls that bind or connect hold; others that are in it then find inboxes
 * that are dead.
 *
 * Who waits for being able to send, and for being able to receive, may wait for both: that there is
 * room in the peer's inbox is told on to where our own is waited for, by an entry of the wait table
 * that stands at the peer's (`room`).
 */
#ifndef KERNEL_LINUX_SOCKET_BODY_H
#define KERNEL_LINUX_SOCKET_BODY_H

#include "names.h"

#include "../../body.h"
#include "../../fs/file.h"
#include "../../sched/wait.h"

#include <errno.h>

struct socket_body {
    k42_id self;
    uint32_t busy; /* atomic */
    inbox_ref own; /* constant */
    k42_id peer;   /* its inbox, held; atomic; 0: none */
    struct wait_entry room;
    struct socket_bound bound;
    struct socket_owner partner;     /* who connected it, or was connected to */
    struct credentials *credentials; /* the same with all groups; held, or NULL; atomic */
    bool listens, accepted, sends_no_more;
    uint64_t numbers[SOCKET_NUMBERS]; /* those that are kept: sizes, times, SOCKET_PASSES_OWNER */
};

#define SOCKET(self) ((struct socket_body *)BODY(self))

static inline inbox_ref socket_peer_of(const struct socket_body *socket) {
    return (inbox_ref)k42_id_ref(__atomic_load_n(&socket->peer, __ATOMIC_ACQUIRE));
}
static inline bool socket_has_peer(const struct socket_body *socket) {
    return __atomic_load_n(&socket->peer, __ATOMIC_ACQUIRE);
}

/* One call at a time: 0, or -K42_WAIT. */
K42_MUST_CHECK
k42_result socket_begin(struct socket_body *socket);
/* Returns `result`. */
k42_result socket_leave(struct socket_body *socket, k42_result result);

/* While it is busy: from now on it sends to that inbox, a hold of which becomes its own. */
void socket_set_peer(struct socket_body *socket, inbox_ref peer);
/* It sends to nobody; who sent to it, as to a stream's, is told why nothing more comes. */
void socket_drop_peer(struct socket_body *socket, bool shuts, int reason);

/* Whom it talks to; takes over a hold. */
void socket_set_credentials(struct socket_body *socket, struct credentials *credentials);

/* Puts the cursor's next bytes and what goes with them into an inbox. */
K42_MUST_CHECK
k42_result socket_put(struct socket_body *socket, inbox_ref inbox, struct socket_message *message,
                      size_t length);
/* Receives from its own. */
K42_MUST_CHECK
k42_result socket_take(struct socket_body *socket, struct socket_message *message);

/* ---- methods ---- */

k42_result socket_describe(struct k42_object *self, char *text, size_t size);
k42_result socket_bind(struct socket *self, const struct socket_name *name);
k42_result socket_join(struct socket *self, k42_id other, const struct socket_owner *owner);
k42_result socket_name(struct socket *self, unsigned peer, struct socket_address *address);
k42_result socket_peer(struct socket *self, struct socket_owner *owner);
k42_result socket_number(struct socket *self, unsigned which);
k42_result socket_set_number(struct socket *self, unsigned which, uint64_t value);
k42_result socket_accepted(struct socket *self);
k42_result socket_end(struct socket *self);
struct k42_pair socket_credentials(struct socket *self);
k42_result socket_look(struct socket *self, struct inbox_look *look);
void socket_fini(struct k42_root *root);

/* Of those that are connected by a call: streams and packets. */
k42_result call_connect(struct socket *self, const struct socket_name *name,
                        const struct socket_owner *owner);
k42_result call_listen(struct socket *self, unsigned most, const struct socket_owner *owner);
struct k42_pair call_accept(struct socket *self);
k42_result call_shutdown(struct socket *self, unsigned how);
k42_result call_poll(struct socket *self);

#define SOCKET_METHODS                                                                             \
    .object.describe = socket_describe, .bind = socket_bind, .join = socket_join,                  \
    .name = socket_name, .peer = socket_peer, .number = socket_number,                             \
    .set_number = socket_set_number, .accepted = socket_accepted, .end = socket_end,               \
    .credentials = socket_credentials, .look = socket_look
#define CALL_METHODS                                                                               \
    .connect = call_connect, .listen = call_listen, .accept = call_accept,                         \
    .shutdown = call_shutdown, .poll = call_poll

extern struct k42_class socket_stream, socket_packets, socket_datagram;

#endif
