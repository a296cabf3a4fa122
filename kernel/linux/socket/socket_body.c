/*
 * What local sockets of all kinds have in common. See socket_body.h.
 */
#include "socket_body.h"

#include "../../fs/node.h"
#include "../../vdso/wall_clock.h"
#include "../process/lives.h"
#include "../task.h"
#include "flight.h"
#include "runtime.h"

/* ---- one call at a time ---- */

k42_result socket_begin(struct socket_body *socket) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&socket->busy, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(socket->self, SOCKET_BUSY, WAIT_READ);
}

k42_result socket_leave(struct socket_body *socket, k42_result result) {
    __atomic_exchange_n(&socket->busy, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(socket->self, SOCKET_BUSY, WAIT_READ, 1);
    return result;
}

/* ---- the peer ---- */

/* Interrupts are off. */
static void tell_room(struct wait_entry *entry, uint32_t events) {
    struct socket_body *socket = k42_container(entry, struct socket_body, room);
    (void)!wait_notify(k42_id_of(socket->own), INBOX_POLL, events, WAIT_ALL);
}

void socket_set_peer(struct socket_body *socket, inbox_ref peer) {
    struct wait_point point = {.id = k42_id_of(peer),
                               .key = INBOX_PARCELS,
                               .events = WAIT_WRITE | WAIT_ERROR | WAIT_HANGUP};
    uint64_t size = socket->numbers[SOCKET_SEND_SIZE];
    if (size != INBOX_BYTES && socket->numbers[SOCKET_KIND] != SOCKET_DATAGRAM)
        (void)!k42_call(peer, limit, size, INBOX_PARCELS_MOST);
    wait_watch(&socket->room, point, tell_room);
    __atomic_exchange_n(&socket->peer, point.id, __ATOMIC_SEQ_CST);
    (void)!wait_notify(k42_id_of(socket->own), INBOX_POLL, WAIT_WRITE | WAIT_READ, WAIT_ALL);
}

void socket_drop_peer(struct socket_body *socket, bool shuts, int reason) {
    k42_id id = __atomic_exchange_n(&socket->peer, 0, __ATOMIC_SEQ_CST);
    inbox_ref peer = (inbox_ref)k42_id_ref(id);
    if (!id)
        return; /* whoever has taken it away does the rest */
    (void)wait_remove(&socket->room);
    if (shuts)
        (void)!k42_call(peer, shut, reason);
    (void)!k42_call(peer, release);
}

k42_result socket_join(struct socket *self, k42_id other, const struct socket_owner *owner) {
    struct socket_body *socket = SOCKET(self);
    inbox_ref peer = (inbox_ref)k42_id_ref(other);
    k42_result result = socket_begin(socket);
    if (result < 0)
        return result;
    result = k42_call(peer, hold);
    if (result >= 0) {
        (void)!k42_call(socket->own, limit, INBOX_BYTES, INBOX_PARCELS_MOST);
        socket->partner = *owner;
        socket_set_credentials(socket, credentials_hold(task_self()->credentials));
        socket_set_peer(socket, peer);
    }
    return socket_leave(socket, result);
}

/* ---- its name ---- */

static k42_result hold_node(k42_id node) {
    return node ? k42_call((node_ref)k42_id_ref(node), hold) : 0;
}

static void release_node(k42_id node) {
    if (node)
        (void)!k42_call((node_ref)k42_id_ref(node), release);
}

static k42_result take_name(struct socket_body *socket, const struct socket_name *name) {
    struct socket_bound *bound = &socket->bound;
    struct socket_owner owner;
    struct socket_address none;
    if (bound->in)
        return name->address.length ? -EINVAL : 0;
    bound->inbox = k42_id_of(socket->own);
    bound->kind = (uint32_t)socket->numbers[SOCKET_KIND];
    bound->name = *name;
    k42_result result = hold_node(name->node);
    if (result < 0)
        return result;
    result = name->address.length ? socket_names_add(bound) : socket_names_invent(bound);
    if (result < 0) {
        release_node(name->node);
        return result;
    }
    (void)!k42_call(socket->own, owner, &owner, &none);
    (void)!k42_call(socket->own, set_owner, &owner, &bound->name.address);
    return 0;
}

k42_result socket_bind(struct socket *self, const struct socket_name *name) {
    struct socket_body *socket = SOCKET(self);
    k42_result result = socket_begin(socket);
    return result < 0 ? result : socket_leave(socket, take_name(socket, name));
}

k42_result socket_name(struct socket *self, unsigned peer, struct socket_address *address) {
    struct socket_body *socket = SOCKET(self);
    struct socket_owner owner;
    if (peer && !socket_has_peer(socket))
        return -ENOTCONN;
    inbox_ref whose = peer ? socket_peer_of(socket) : socket->own;
    k42_result result = k42_call(whose, owner, &owner, address);
    return result == -K42_STALE ? -ENOTCONN : result;
}

k42_result socket_peer(struct socket *self, struct socket_owner *owner) {
    *owner = SOCKET(self)->partner;
    return 0;
}

/* Whoever asks for them at that moment has the old ones until he leaves his generation. */
void socket_set_credentials(struct socket_body *socket, struct credentials *credentials) {
    credentials_release(__atomic_exchange_n(&socket->credentials, credentials, __ATOMIC_ACQ_REL));
}

struct k42_pair socket_credentials(struct socket *self) {
    struct credentials *found = __atomic_load_n(&SOCKET(self)->credentials, __ATOMIC_ACQUIRE);
    if (!found)
        return (struct k42_pair){.result = -ENODATA};
    return (struct k42_pair){0, (uintptr_t)found};
}

/* ---- parcels ---- */

/* When it fails the files are still the caller's. Once it is put a parcel is somebody else's. */
static k42_result put_with_files(inbox_ref inbox, struct parcel *parcel,
                                 struct parcel_files *files) {
    bool sockets = files && files->sockets;
    k42_result result = sockets ? flight_enter() : 0;
    if (result < 0)
        return result;
    if (sockets)
        flight_begin(files);
    parcel->files = files;
    result = k42_call(inbox, put, parcel);
    if (result < 0) {
        parcel->files = NULL;
        if (sockets)
            flight_end(files);
    }
    if (sockets)
        flight_leave();
    return result;
}

/* The cursor moves when the parcel was put: until then all may have to be tried again. */
k42_result socket_put(struct socket_body *socket, inbox_ref inbox, struct socket_message *message,
                      size_t length) {
    struct socket_owner owner;
    struct copy at = *message->copy;
    struct parcel *parcel;
    k42_result result = k42_call(inbox, room, length, k42_id_of(socket->own));
    if (result >= 0)
        result = parcel_make(&at, length, &parcel);
    if (result < 0)
        return result == -K42_STALE ? -ECONNREFUSED : result;
    (void)!k42_call(socket->own, owner, &owner, &parcel->from);
    parcel->owner = message->owner;
    parcel->urgent = message->flags & SOCKET_OUT_OF_BAND;
    if (socket->numbers[SOCKET_KIND] != SOCKET_STREAM)
        parcel->when = wall_clock_ns();
    result = put_with_files(inbox, parcel, message->files);
    if (result < 0) {
        parcel_free(parcel);
        return result == -K42_STALE ? -ECONNREFUSED : result;
    }
    message->files = NULL;
    *message->copy = at;
    return (k42_result)length;
}

/* Where peeking begins goes on with what was peeked at, and back with what was taken. */
static void move_peek_offset(struct socket_body *socket, const struct inbox_taking *taking,
                             k42_result bytes) {
    uint64_t set = socket->numbers[SOCKET_PEEK_OFFSET];
    bool whole = socket->numbers[SOCKET_KIND] != SOCKET_STREAM;
    uint64_t taken = whole ? taking->length : (uint64_t)bytes;
    if (set && bytes >= 0 && !taking->urgent)
        socket->numbers[SOCKET_PEEK_OFFSET] = taking->peeks ? set + (uint64_t)bytes
                                              : taken < set ? set - taken
                                                            : 1;
}

k42_result socket_take(struct socket_body *socket, struct socket_message *message) {
    uint64_t peek_offset = socket->numbers[SOCKET_PEEK_OFFSET];
    bool peeks = message->flags & SOCKET_PEEK;
    struct inbox_taking taking = {
        .copy = message->copy,
        .peeks = peeks,
        .by_owner = socket->numbers[SOCKET_PASSES_OWNER],
        .urgent = message->flags & SOCKET_OUT_OF_BAND,
        .in_line = socket->numbers[SOCKET_SWITCHES] >> SOCKET_SWITCH_IN_LINE & 1,
        .skip = peeks && peek_offset ? peek_offset - 1 : 0,
        .least = message->least,
    };
    k42_result result = k42_call(socket->own, take, &taking);
    move_peek_offset(socket, &taking, result);
    message->files = taking.files;
    message->owner = taking.owner;
    message->from = taking.from;
    message->length = taking.length;
    message->when = taking.when;
    message->got = taking.got;
    return result;
}

k42_result socket_look(struct socket *self, struct inbox_look *look) {
    return k42_call(SOCKET(self)->own, look, look);
}

/* ---- numbers ---- */

static k42_result bytes_to_receive(const struct socket_body *socket) {
    struct inbox_look look;
    k42_result result = k42_call(socket->own, look, &look);
    if (result < 0)
        return result;
    bool whole = socket->numbers[SOCKET_KIND] != SOCKET_DATAGRAM; /* packets, too, on Linux */
    return (k42_result)(whole ? look.bytes : look.first);
}

static k42_result bytes_unsent(const struct socket_body *socket) {
    struct inbox_look look = {0};
    if (socket_has_peer(socket))
        (void)!k42_call(socket_peer_of(socket), look, &look);
    return (k42_result)look.bytes;
}

k42_result socket_number(struct socket *self, unsigned which) {
    struct socket_body *socket = SOCKET(self);
    switch (which) {
    case SOCKET_LISTENS:
        return socket->listens;
    case SOCKET_BOUND:
        return socket->bound.in;
    case SOCKET_ERROR:
        return k42_call(socket->own, error);
    case SOCKET_BYTES:
        return socket->listens ? -EINVAL : bytes_to_receive(socket);
    case SOCKET_UNSENT:
        return socket->listens ? -EINVAL : bytes_unsent(socket);
    case SOCKET_INBOX:
        return k42_id_of(socket->own);
    default:
        return which < SOCKET_NUMBERS ? (k42_result)socket->numbers[which] : -EINVAL;
    }
}

k42_result socket_set_number(struct socket *self, unsigned which, uint64_t value) {
    struct socket_body *socket = SOCKET(self);
    if (which < SOCKET_SEND_SIZE || which > SOCKET_FAMILY)
        return -EINVAL;
    socket->numbers[which] = value;
    bool datagrams = socket->numbers[SOCKET_KIND] == SOCKET_DATAGRAM; /* others send there, too */
    if (which == SOCKET_SEND_SIZE && socket_has_peer(socket) && !datagrams)
        return k42_call(socket_peer_of(socket), limit, value, INBOX_PARCELS_MOST);
    return 0;
}

k42_result socket_accepted(struct socket *self) {
    SOCKET(self)->accepted = true;
    return 0;
}

/* ---- made and ended ---- */

static struct k42_class *class_of(unsigned kind) {
    return kind == SOCKET_STREAM     ? &socket_stream
           : kind == SOCKET_PACKETS  ? &socket_packets
           : kind == SOCKET_DATAGRAM ? &socket_datagram
                                     : NULL;
}

k42_result socket_make(unsigned kind, socket_ref *made) {
    enum { WAITING_DATAGRAMS = 11 };
    struct k42_class *class_ = class_of(kind);
    k42_ref ref;
    if (!class_)
        return -ESOCKTNOSUPPORT;
    struct socket_body *socket = k42_platform_alloc(sizeof *socket);
    if (!socket)
        return -ENOMEM;
    k42_result result =
        kind == SOCKET_STREAM ? inbox_make_bytes(&socket->own) : inbox_make_parcels(&socket->own);
    if (result >= 0) {
        result = k42_make(class_, socket, &ref);
        if (result < 0)
            (void)!k42_call(socket->own, release);
    }
    if (result < 0) {
        k42_platform_free(socket);
        return result;
    }
    if (kind == SOCKET_DATAGRAM)
        (void)!k42_call(socket->own, limit, INBOX_BYTES, WAITING_DATAGRAMS);
    socket->self = k42_ref_id(ref);
    socket->numbers[SOCKET_KIND] = kind;
    socket->numbers[SOCKET_FAMILY] = FAMILY_LOCAL;
    socket->numbers[SOCKET_LEAST] = 1;
    socket->numbers[SOCKET_SEND_SIZE] = socket->numbers[SOCKET_RECEIVE_SIZE] = INBOX_BYTES;
    *made = (socket_ref)ref;
    return 0;
}

/* Whoever is busy with it meanwhile finds its inbox dead, or has connected it before: both are told
 * why. */
k42_result socket_end(struct socket *self) {
    struct socket_body *socket = SOCKET(self);
    bool calls = socket->numbers[SOCKET_KIND] != SOCKET_DATAGRAM;
    k42_id node = socket->bound.in ? socket->bound.name.node : 0;
    socket_names_remove(&socket->bound);
    release_node(node);
    bool unread = k42_call(socket->own, end) > 0;
    bool reset = unread || (calls && !socket->accepted);
    socket_drop_peer(socket, calls, reset ? -ECONNRESET : 0);
    (void)!k42_call(socket->own, release);
    (void)!k42_destroy(k42_id_ref(socket->self));
    return 0;
}

void socket_fini(struct k42_root *root) {
    struct socket_body *socket = body_of_root(root);
    if (socket)
        credentials_release(socket->credentials);
    k42_platform_free(socket);
}

k42_result socket_describe(struct k42_object *self, char *text, size_t size) {
    struct socket_body *socket = SOCKET(self);
    return (k42_result)k42_format_text(
        text, size, "local socket, inbox %u, peer's %u%s%s", k42_id_of(socket->own), socket->peer,
        socket->bound.in ? ", bound" : "", socket->listens ? ", listens" : "");
}
