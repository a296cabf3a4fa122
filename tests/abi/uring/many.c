/* io_uring: many requests at once, of many threads, cancelled and completed against each other. */
#include "uring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { THREADS = 4, ROUNDS = 40, PIPES = 16 };

static atomic_long done, cancelled, wrong;

/* Waits for so many completions and counts how they ended: with a byte, or cancelled. */
static void take(struct uring *ring, unsigned count) {
    while (count) {
        if (!uring_count(ring))
            abi_call(io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
        while (count && uring_count(ring)) {
            int result = ring->cqes[*ring->cq_head & (ring->params.cq_entries - 1)].res;
            __atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
            if (result == 1)
                done++;
            else if (result == -ECANCELED)
                cancelled++;
            else if (result != 0 && result != -ENOENT && result != -EALREADY)
                wrong++;
            count--;
        }
    }
}

static void submit(struct uring *ring) {
    unsigned put = *ring->sq_tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
    if (abi_call(io_uring_enter, ring->fd, put, 0, 0, 0, 0) != (long)put)
        wrong++;
}

/* Reads of empty pipes; some are written to, some cancelled, some both. */
static void *storm(void *argument) {
    struct uring ring = uring_make(64, 0, 0);
    static _Thread_local char bytes[PIPES];
    int pipes[PIPES][2];
    (void)argument;
    for (int i = 0; i < PIPES; i++)
        pipe(pipes[i]);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PIPES; i++)
            uring_put(&ring, IORING_OP_READ, pipes[i][0], &bytes[i], 1, (uint64_t)i + 1);
        submit(&ring);
        for (int i = 0; i < PIPES; i++) {
            if (i % 3 != 0)
                uring_put(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)(i + 1l), 0, 100);
            if (i % 3 != 1 && write(pipes[i][1], "x", 1) != 1)
                wrong++;
        }
        submit(&ring);
        take(&ring, PIPES + PIPES * 2 / 3);
        /* What nobody took is left over. */
        for (int i = 0; i < PIPES; i++) {
            char byte;
            fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
            while (read(pipes[i][0], &byte, 1) == 1)
                ;
            fcntl(pipes[i][0], F_SETFL, 0);
        }
    }
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    close(ring.fd);
    return NULL;
}

/* A conversation through one ring by two chains, byte for byte. */
static void converse(void) {
    struct uring ring = uring_make(8, 0, 0);
    int ends[2], bad = 0;
    char there = 0, back = 0;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    for (int i = 0; i < 200; i++) {
        char sent = (char)i;
        uring_put(&ring, IORING_OP_RECV, ends[1], &there, 1, 1)->flags = IOSQE_IO_LINK;
        uring_put(&ring, IORING_OP_SEND, ends[1], &there, 1, 2);
        uring_put(&ring, IORING_OP_RECV, ends[0], &back, 1, 3);
        submit(&ring);
        if (write(ends[0], &sent, 1) != 1)
            bad++;
        long before = done;
        take(&ring, 3);
        bad += done - before != 3 || there != sent || back != sent;
    }
    is("bytes that were lost", bad, 0);
}

/* More that sleep than there are who may: names of pipes that nobody opens at the other end. */
static void sleepers(void) {
    struct uring ring = uring_make(64, 0, 0);
    static char names[8][16];
    for (int i = 0; i < 8; i++) {
        snprintf(names[i], sizeof *names, "fifo%d", i);
        mkfifo(names[i], 0600);
        struct io_uring_sqe *entry =
            uring_put(&ring, IORING_OP_OPENAT, AT_FDCWD, names[i], 0, (uint64_t)i);
        entry->open_flags = O_RDONLY;
        entry->flags = IOSQE_ASYNC; /* else Linux opens them as if they had O_NONBLOCK */
    }
    submit(&ring);
    doze(50);
    is("nobody yet", uring_count(&ring), 0);
    for (int i = 0; i < 8; i++)
        is("opened", open(names[i], O_WRONLY) >= 0, 1);
    for (int i = 0; i < 8; i++) {
        while (!uring_count(&ring))
            abi_call(io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
        int fd = ring.cqes[*ring.cq_head & (ring.params.cq_entries - 1)].res;
        ++*ring.cq_head;
        is("opened", fd >= 0, 1);
    }
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, storm, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    long all = (long)THREADS * ROUNDS * PIPES;
    is("wrong", wrong, 0);
    is("all were told of", done + cancelled, all);
    converse();
    sleepers();
}
