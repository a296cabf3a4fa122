/*
 * Workers and their connections, for worker.c and connection.c.
 *
 * A connection belongs to one worker from the moment it is handed to it; nobody else touches it.
 */
#ifndef KV_WORKER_H
#define KV_WORKER_H

#include "server.h"

struct kv_connection {
    struct kv_connection *previous, *next; /* in its worker's list */
    struct kv_worker *worker;
    int fd;
    int broken;        /* gone: to be closed at the end of this turn */
    int paused;        /* has unsent output enough; input waits */
    uint32_t interest; /* what epoll watches for */
    struct kv_buffer in, out;
    struct kv_parser parser;
    struct kv_client client;
};

enum { KV_TURN_EVENTS = 64 };

struct kv_worker {
    struct kv_server *server;
    pthread_t thread;
    unsigned number;
    int epoll;
    int wake;             /* an eventfd, readable when the server stops */
    pthread_mutex_t lock; /* of the list, since the acceptor adds to it */
    struct kv_connection *connections;
    struct kv_connection *due[KV_TURN_EVENTS]; /* those to be served in this turn */
    unsigned due_count;
};

/* Makes a connection of an accepted socket and hands it to a worker. 0 or a negative errno; the
 * socket is closed then. */
int kv_connection_open(struct kv_worker *worker, int fd);
void kv_connection_close(struct kv_connection *connection);

/* Takes in what has arrived. Inactive. */
void kv_connection_read(struct kv_connection *connection);
/* Carries out the requests that are complete. Active. */
void kv_connection_serve(struct kv_connection *connection);
/* Sends what can be sent, and has epoll watch for what is next. Inactive. */
void kv_connection_send(struct kv_connection *connection);

#endif
