/*
 * Sockets of packets (SOCK_SEQPACKET): connected as streams are, and each packet is received by
 * itself. Format: socket.packets, by pointer. Locking and races: socket_body.h.
 */
#include "socket_body.h"

static k42_result packets_send(struct socket *self, struct socket_message *message) {
    struct socket_body *socket = SOCKET(self);
    if (!socket_has_peer(socket))
        return -ENOTCONN;
    if (message->flags & SOCKET_OUT_OF_BAND)
        return -EOPNOTSUPP;
    k42_result result = socket_put(socket, socket_peer_of(socket), message, message->copy->left);
    if (result != -ECONNREFUSED && result != -EPIPE)
        return result;
    k42_result why = k42_call(socket->own, error); /* is told first, and once */
    return why < 0 && why != -K42_STALE ? why : -EPIPE;
}

static k42_result packets_receive(struct socket *self, struct socket_message *message) {
    struct socket_body *socket = SOCKET(self);
    if (!socket_has_peer(socket))
        return -ENOTCONN;
    if (message->flags & SOCKET_OUT_OF_BAND)
        return -EOPNOTSUPP;
    return socket_take(socket, message);
}

static const struct socket_ops packets_ops = {
    SOCKET_METHODS,
    CALL_METHODS,
    .send = packets_send,
    .receive = packets_receive,
};

static const struct k42_format packets_format = {"socket.packets", 1, 1};
static const struct k42_transfer packets_transfers[] = BODY_TRANSFERS(packets_format);

K42_CLASS(socket_packets) = {
    .name = "socket.packets",
    .interface = &socket_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &packets_ops,
    .fini = socket_fini,
    .transfers = packets_transfers,
};
