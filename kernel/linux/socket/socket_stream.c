/*
 * Sockets of streams: bytes in the order they were sent, from one to one. Format: socket.stream, by
 * pointer. Locking and races: socket_body.h.
 */
#include "socket_body.h"

enum { PIECE = 32768 };

/* With the urgent byte, which is the last one, none goes with others. */
static size_t next_piece(const struct socket_body *socket, struct socket_message *message,
                         bool urgent) {
    size_t most = socket->numbers[SOCKET_SEND_SIZE] / 2 - 64, left = message->copy->left;
    most = most < PIECE ? most : PIECE;
    if (urgent && left > 1)
        left--;
    message->flags &= ~(unsigned)SOCKET_OUT_OF_BAND;
    if (urgent && message->copy->left == 1)
        message->flags |= SOCKET_OUT_OF_BAND;
    return left < most ? left : most;
}

static k42_result stream_send(struct socket *self, struct socket_message *message) {
    struct socket_body *socket = SOCKET(self);
    unsigned flags = message->flags;
    bool urgent = flags & SOCKET_OUT_OF_BAND;
    k42_result done = 0, result = 0;
    if (urgent && !message->copy->left)
        return -EOPNOTSUPP;
    if (message->to)
        return socket_has_peer(socket) ? -EISCONN : -EOPNOTSUPP;
    if (!socket_has_peer(socket))
        return -ENOTCONN;
    while (message->copy->left) {
        size_t length = next_piece(socket, message, urgent);
        result = socket_put(socket, socket_peer_of(socket), message, length);
        if (result < 0)
            break;
        done += result;
    }
    message->flags = flags;
    return done ? done : result == -ECONNREFUSED ? -EPIPE : result;
}

static k42_result stream_receive(struct socket *self, struct socket_message *message) {
    struct socket_body *socket = SOCKET(self);
    if (!socket_has_peer(socket))
        return -EINVAL;
    return socket_take(socket, message);
}

static const struct socket_ops stream_ops = {
    SOCKET_METHODS,
    CALL_METHODS,
    .send = stream_send,
    .receive = stream_receive,
};

static const struct k42_format stream_format = {"socket.stream", 1, 1};
static const struct k42_transfer stream_transfers[] = BODY_TRANSFERS(stream_format);

K42_CLASS(socket_stream) = {
    .name = "socket.stream",
    .interface = &socket_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &stream_ops,
    .fini = socket_fini,
    .transfers = stream_transfers,
};
