/*
 * Workers: threads that wait for their connections and serve them, a turn at a time.
 *
 * A turn: wait; read from every connection that has something; enter; carry out all complete
 * requests; exit; send. So a worker is active only while it calls objects, and a swap never waits
 * for a client. The first worker also accepts connections, which it hands out in turn, and looks
 * for expired keys ten times a second.
 *
 * Locking: worker->lock guards the list of its connections against the acceptor; everything else of
 * a worker is its own.
 */
#define _GNU_SOURCE /* accept4 */
#include "worker.h"

#include <k42/thread.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SWEEP_EVERY_MS = 100, ACCEPTED_PER_TURN = 64 };

static int is_stopping(const struct kv_server *server) {
    return (int)__atomic_load_n(&server->stopping, __ATOMIC_ACQUIRE);
}

/* ---- accepting ---- */

static void refuse_client(int fd) {
    static const char reply[] = "-ERR max number of clients reached\r\n";
    (void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void accept_clients(struct kv_worker *worker) {
    struct kv_server *server = worker->server;
    static unsigned next; /* only the first worker accepts */
    for (unsigned n = 0; n < ACCEPTED_PER_TURN; n++) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (__atomic_load_n(&server->clients, __ATOMIC_RELAXED) >= server->clients_limit)
            refuse_client(fd);
        else
            (void)kv_connection_open(&server->workers[next++ % server->worker_count], fd);
    }
}

/* ---- a turn ---- */

static void take_event(struct kv_worker *worker, const struct epoll_event *event) {
    if (event->data.ptr == worker)
        return; /* the wake-up: the loop looks whether to stop */
    if (event->data.ptr == worker->server) {
        accept_clients(worker);
        return;
    }
    struct kv_connection *connection = event->data.ptr;
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR) && connection->interest & EPOLLIN)
        kv_connection_read(connection);
    else if (event->events & (EPOLLHUP | EPOLLERR))
        connection->broken = 1;
    worker->due[worker->due_count++] = connection;
}

/* Serves and sends until no connection waits with requests that it has room to answer. */
static void serve_due(struct kv_worker *worker) {
    int again = 1;
    while (again) {
        again = 0;
        k42_enter();
        for (unsigned n = 0; n < worker->due_count; n++)
            kv_connection_serve(worker->due[n]);
        k42_exit();
        for (unsigned n = 0; n < worker->due_count; n++) {
            struct kv_connection *connection = worker->due[n];
            kv_connection_send(connection);
            again |= connection->paused && !connection->broken &&
                     kv_buffer_length(&connection->out) == 0;
        }
    }
    for (unsigned n = 0; n < worker->due_count; n++) {
        if (worker->due[n]->broken)
            kv_connection_close(worker->due[n]);
    }
    worker->due_count = 0;
}

static void sweep_expired(struct kv_worker *worker, struct kv_now *last) {
    struct kv_now now = kv_now();
    if (now.ns - last->ns < SWEEP_EVERY_MS * 1000000ull)
        return;
    *last = now;
    k42_enter();
    (void)kv_store_sweep(&worker->server->store, now);
    k42_exit();
}

static void *work(void *argument) {
    struct kv_worker *worker = argument;
    struct epoll_event events[KV_TURN_EVENTS];
    struct kv_now swept = kv_now();
    char name[16];
    snprintf(name, sizeof(name), "worker-%u", worker->number);
    k42_result attached = k42_attach(name);
    if (attached < 0) {
        fprintf(stderr, "kv: %s could not attach to the runtime: %s\n", name,
                k42_error_name(attached));
        abort();
    }
    while (!is_stopping(worker->server)) {
        int timeout = worker->number == 0 ? SWEEP_EVERY_MS : -1;
        int count = epoll_wait(worker->epoll, events, KV_TURN_EVENTS, timeout);
        for (int n = 0; n < count; n++)
            take_event(worker, &events[n]);
        serve_due(worker);
        if (worker->number == 0)
            sweep_expired(worker, &swept);
    }
    if (k42_detach() < 0)
        abort(); /* it is attached and inactive here */
    return NULL;
}

/* ---- starting and stopping ---- */

static int watch_fd(int epoll, int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int start_worker(struct kv_server *server, unsigned number) {
    struct kv_worker *worker = &server->workers[number];
    worker->server = server;
    worker->number = number;
    pthread_mutex_init(&worker->lock, NULL);
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->epoll < 0 || worker->wake < 0)
        return -errno;
    int result = watch_fd(worker->epoll, worker->wake, worker);
    if (result == 0 && number == 0)
        result = watch_fd(worker->epoll, server->listener, server);
    return result < 0 ? result : -pthread_create(&worker->thread, NULL, work, worker);
}

int kv_start_workers(struct kv_server *server) {
    unsigned wanted = server->worker_count;
    server->workers = calloc(wanted, sizeof(*server->workers));
    if (!server->workers)
        return -ENOMEM;
    /* Backwards, so that whoever accepts finds all the others there. */
    for (unsigned n = wanted; n-- > 0;) {
        int result = start_worker(server, n);
        if (result < 0)
            return result;
    }
    return 0;
}

void kv_stop_workers(struct kv_server *server) {
    __atomic_store_n(&server->stopping, 1, __ATOMIC_RELEASE);
    for (unsigned n = 0; n < server->worker_count; n++)
        (void)eventfd_write(server->workers[n].wake, 1);
    for (unsigned n = 0; n < server->worker_count; n++)
        pthread_join(server->workers[n].thread, NULL);
    /* Only now: until all have ended, the first one may hand connections to the others. */
    for (unsigned n = 0; n < server->worker_count; n++) {
        struct kv_worker *worker = &server->workers[n];
        while (worker->connections)
            kv_connection_close(worker->connections);
        close(worker->epoll);
        close(worker->wake);
        pthread_mutex_destroy(&worker->lock);
    }
    free(server->workers);
    server->workers = NULL;
}
