/*
 * One client's connection: bytes in, requests, bytes out. See worker.h.
 *
 * Reading, serving and sending are separate steps, so that a turn reads for all its connections,
 * serves all of them in one generation, and sends to all of them outside it.
 *
 * A request that is no request gets one error and ends the connection after it; the bytes behind it
 * are never looked at. A client that does not read its replies is not served while too many wait,
 * and is closed when even one reply does not fit.
 */
#include "worker.h"

#include <k42/thread.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

int kv_connection_open(struct kv_worker *worker, int fd) {
    struct kv_server *server = worker->server;
    struct kv_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        close(fd);
        return -ENOMEM;
    }
    connection->worker = worker;
    connection->fd = fd;
    connection->interest = EPOLLIN;
    connection->in.limit = KV_INPUT_LIMIT;
    connection->out.limit = KV_OUTPUT_LIMIT;
    kv_parser_init(&connection->parser);
    connection->client.id = __atomic_add_fetch(&server->connections, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&server->clients, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&worker->lock);
    connection->next = worker->connections;
    if (connection->next)
        connection->next->previous = connection;
    worker->connections = connection;
    pthread_mutex_unlock(&worker->lock);
    /* From here on the worker may be serving it, and close it, at any time. */
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        kv_connection_close(connection);
        return -error;
    }
    return 0;
}

void kv_connection_close(struct kv_connection *connection) {
    struct kv_worker *worker = connection->worker;
    pthread_mutex_lock(&worker->lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        worker->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&worker->lock);
    close(connection->fd);
    __atomic_sub_fetch(&worker->server->clients, 1, __ATOMIC_RELAXED);
    kv_buffer_free(&connection->in);
    kv_buffer_free(&connection->out);
    kv_parser_free(&connection->parser);
    free(connection);
}

void kv_connection_read(struct kv_connection *connection) {
    struct kv_buffer *in = &connection->in;
    if (kv_buffer_reserve(in, READ_SIZE) < 0) {
        connection->broken = 1;
        return;
    }
    ssize_t got = recv(connection->fd, in->bytes + in->end, READ_SIZE, 0);
    if (got > 0)
        in->end += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        connection->broken = 1;
}

static void serve_request(struct kv_connection *connection) {
    struct kv_request request = {
        .server = connection->worker->server,
        .client = &connection->client,
        .out = &connection->out,
        .bytes = kv_buffer_front(&connection->in),
        .arguments = connection->parser.arguments,
        .count = connection->parser.count,
        .now = kv_now(),
    };
    if (request.count)
        kv_execute(&request);
}

static void refuse(struct kv_connection *connection, long error) {
    __atomic_add_fetch(&connection->worker->server->protocol_errors, 1, __ATOMIC_RELAXED);
    kv_reply_error(&connection->out,
                   error == -EPROTO ? connection->parser.error : "ERR no memory for this request");
    connection->client.closing = 1;
}

void kv_connection_serve(struct kv_connection *connection) {
    connection->paused = 0;
    while (!connection->broken && !connection->client.closing) {
        if (kv_buffer_length(&connection->out) >= KV_OUTPUT_PAUSE) {
            connection->paused = 1;
            return;
        }
        long length = kv_parse(&connection->parser, kv_buffer_front(&connection->in),
                               kv_buffer_length(&connection->in));
        if (length == 0)
            return;
        if (length < 0) {
            refuse(connection, length);
            return;
        }
        serve_request(connection);
        kv_parser_next(&connection->parser);
        kv_buffer_consume(&connection->in, (size_t)length);
        k42_safe_point(); /* nothing read for this request is in use any more */
        if (connection->out.failed) {
            __atomic_add_fetch(&connection->worker->server->output_overflows, 1, __ATOMIC_RELAXED);
            connection->broken = 1;
        }
    }
}

static void watch(struct kv_connection *connection, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    if (connection->interest == interest)
        return;
    connection->interest = interest;
    if (epoll_ctl(connection->worker->epoll, EPOLL_CTL_MOD, connection->fd, &event) < 0)
        connection->broken = 1;
}

void kv_connection_send(struct kv_connection *connection) {
    struct kv_buffer *out = &connection->out;
    while (!connection->broken && kv_buffer_length(out)) {
        ssize_t sent =
            send(connection->fd, kv_buffer_front(out), kv_buffer_length(out), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            connection->broken = 1;
        else
            kv_buffer_consume(out, (size_t)sent);
    }
    size_t unsent = kv_buffer_length(out);
    if (connection->client.closing && !unsent)
        connection->broken = 1;
    if (connection->broken)
        return;
    kv_buffer_relax(&connection->in);
    kv_buffer_relax(out);
    int takes_input = !connection->client.closing && unsent < KV_OUTPUT_PAUSE;
    watch(connection, (takes_input ? EPOLLIN : 0u) | (unsent ? EPOLLOUT : 0u));
}
