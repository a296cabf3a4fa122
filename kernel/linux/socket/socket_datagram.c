/*
 * Sockets of datagrams: to whoever has a name, or to the one it is connected to, each by itself.
 * Format: socket.datagram, by pointer. Locking and races: socket_body.h.
 *
 * One that is connected receives from its peer alone, which its inbox sees to.
 */
#include "socket_body.h"

static k42_result no_listen(struct socket *self, unsigned most, const struct socket_owner *owner) {
    (void)self, (void)most, (void)owner;
    return -EOPNOTSUPP;
}

static struct k42_pair no_accept(struct socket *self) {
    (void)self;
    return (struct k42_pair){.result = -EOPNOTSUPP};
}

/* The inbox of that name, held, if it takes our parcels; that it has no room now is nobody's matter
 * yet. */
static k42_result find_peer(struct socket_body *socket, const struct socket_name *name,
                            inbox_ref *peer) {
    k42_result result = socket_names_find(name, SOCKET_DATAGRAM, false, peer);
    if (result < 0)
        return result;
    result = k42_call(*peer, room, 0, k42_id_of(socket->own));
    if (result >= 0 || result == -K42_WAIT)
        return 0;
    (void)!k42_call(*peer, release);
    return result == -EPERM ? result : -ECONNREFUSED;
}

/* What the peer had sent is thrown away, and if it talks to us alone it is told so. */
static k42_result leave_peer(struct socket_body *socket) {
    inbox_ref peer = socket_peer_of(socket);
    k42_result result = k42_call(socket->own, clear);
    if (result > 0)
        (void)!k42_call(peer, fail, k42_id_of(socket->own), -ECONNRESET);
    if (result >= 0)
        socket_drop_peer(socket, false, 0);
    return result;
}

static k42_result connect_to(struct socket_body *socket, const struct socket_name *name) {
    inbox_ref peer = (inbox_ref)K42_NULL_REF;
    k42_result result = name ? find_peer(socket, name, &peer) : 0;
    if (result < 0)
        return result;
    if (socket_has_peer(socket) && k42_id_of(socket_peer_of(socket)) != k42_id_of(peer))
        result = leave_peer(socket);
    else
        socket_drop_peer(socket, false, 0);
    if (result < 0) {
        if (name)
            (void)!k42_call(peer, release);
        return result;
    }
    (void)!k42_call(socket->own, only, k42_id_of(peer));
    if (name)
        socket_set_peer(socket, peer);
    return 0;
}

static k42_result datagram_connect(struct socket *self, const struct socket_name *name,
                                   const struct socket_owner *owner) {
    struct socket_body *socket = SOCKET(self);
    k42_result result = socket_begin(socket);
    (void)owner;
    return result < 0 ? result : socket_leave(socket, connect_to(socket, name));
}

static k42_result send_to(struct socket_body *socket, struct socket_message *message) {
    inbox_ref inbox;
    k42_result result = socket_names_find(message->to, SOCKET_DATAGRAM, false, &inbox);
    if (result < 0)
        return result;
    result = socket_put(socket, inbox, message, message->copy->left);
    (void)!k42_call(inbox, release);
    return result;
}

/* One whose peer has gone is told so once, and is connected to nobody then. */
static k42_result send_to_peer(struct socket_body *socket, struct socket_message *message) {
    if (!socket_has_peer(socket))
        return -ENOTCONN;
    k42_result result = socket_put(socket, socket_peer_of(socket), message, message->copy->left);
    if (result != -ECONNREFUSED || socket_begin(socket) < 0)
        return result;
    if (leave_peer(socket) < 0)
        socket_drop_peer(socket, false, 0);
    (void)!k42_call(socket->own, only, 0);
    return socket_leave(socket, result);
}

static k42_result datagram_send(struct socket *self, struct socket_message *message) {
    struct socket_body *socket = SOCKET(self);
    if (__atomic_load_n(&socket->sends_no_more, __ATOMIC_RELAXED))
        return -EPIPE;
    if (message->flags & SOCKET_OUT_OF_BAND)
        return -EOPNOTSUPP;
    k42_result error = k42_call(socket->own, error); /* of the peer that left it, told once */
    if (error < 0 && error != -K42_STALE)
        return error;
    return message->to ? send_to(socket, message) : send_to_peer(socket, message);
}

/* That nothing more comes is told to those who wait for it. */
static k42_result datagram_receive(struct socket *self, struct socket_message *message) {
    if (message->flags & SOCKET_OUT_OF_BAND)
        return -EOPNOTSUPP;
    k42_result result = socket_take(SOCKET(self), message);
    bool ended = !result && !message->got;
    return ended && (message->flags & SOCKET_DONT_WAIT) ? -EAGAIN : result;
}

static k42_result datagram_shutdown(struct socket *self, unsigned how) {
    struct socket_body *socket = SOCKET(self);
    if (how & 1)
        (void)!k42_call(socket->own, shut, 0);
    if (how & 2)
        __atomic_store_n(&socket->sends_no_more, true, __ATOMIC_RELAXED);
    return 0;
}

static k42_result datagram_poll(struct socket *self) {
    struct socket_body *socket = SOCKET(self);
    struct inbox_look own = {0}, peer = {.room = true};
    if (k42_call(socket->own, look, &own) < 0)
        return FILE_HANG_UP;
    if (socket_has_peer(socket) && k42_call(socket_peer_of(socket), look, &peer) < 0)
        peer = (struct inbox_look){.room = true};
    k42_result ready = own.parcels || own.shut ? FILE_READABLE : 0;
    if (own.shut)
        ready |= FILE_PEER_CLOSED;
    if (own.shut && __atomic_load_n(&socket->sends_no_more, __ATOMIC_RELAXED))
        ready |= FILE_HANG_UP;
    if (own.error)
        ready |= FILE_ERROR;
    return peer.room || peer.dead ? ready | FILE_WRITABLE : ready;
}

static const struct socket_ops datagram_ops = {
    SOCKET_METHODS,
    .connect = datagram_connect,
    .listen = no_listen,
    .accept = no_accept,
    .shutdown = datagram_shutdown,
    .send = datagram_send,
    .receive = datagram_receive,
    .poll = datagram_poll,
};

static const struct k42_format datagram_format = {"socket.datagram", 1, 1};
static const struct k42_transfer datagram_transfers[] = BODY_TRANSFERS(datagram_format);

K42_CLASS(socket_datagram) = {
    .name = "socket.datagram",
    .interface = &socket_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &datagram_ops,
    .fini = socket_fini,
    .transfers = datagram_transfers,
};
