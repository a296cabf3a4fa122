/* io_uring: polling, timeouts, cancelling, and what ends with its ring or its process. */
#include "uring.h"

#include <poll.h>
#include <stdbool.h>

static char text[64];

static void polling(void) {
    struct uring ring = uring_make(8, 0, 0);
    int ends[2];
    pipe(ends);
    uring_put(&ring, IORING_OP_POLL_ADD, ends[1], NULL, 0, 1)->poll32_events = POLLOUT;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_POLL_ADD, ends[0], NULL, 0, 2)->poll32_events = POLLIN;
    uring_enter(&ring, 0);
    is("nothing yet", uring_count(&ring), 0);
    write(ends[1], "x", 1);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    read(ends[0], text, 1);
    uring_put(&ring, IORING_OP_POLL_ADD, ends[0], NULL, 0, 3)->poll32_events = POLLIN;
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_POLL_REMOVE, -1, (void *)3, 0, 4);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_POLL_REMOVE, -1, (void *)3, 0, 5);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_POLL_ADD, 77, NULL, 0, 6)->poll32_events = POLLIN;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_POLL_ADD, ends[0], NULL, 0, 7)->poll32_events = POLLIN;
    uring_enter(&ring, 0);
    close(ends[1]);
    gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_POLL_ADD, ends[0], NULL, 0, 8)->off = 5;
    uring_do(&ring);
}

static void polling_many_times(void) {
    struct uring ring = uring_make(8, 0, 0);
    int ends[2];
    pipe(ends);
    struct io_uring_sqe *entry =
        uring_put(&ring, IORING_OP_POLL_ADD, ends[0], NULL, IORING_POLL_ADD_MULTI, 1);
    entry->poll32_events = POLLIN;
    uring_enter(&ring, 0);
    for (int i = 0; i < 3; i++) {
        write(ends[1], "x", 1);
        gives(0, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
        uring_say(&ring);
        read(ends[0], text, 1);
    }
    uring_put(&ring, IORING_OP_POLL_REMOVE, -1, (void *)1, 0, 2);
    uring_enter(&ring, 2);
    uring_say(&ring);
}

static void timeouts(void) {
    struct uring ring = uring_make(8, 0, 0);
    struct __kernel_timespec soon = {.tv_nsec = 5000000}, late = {.tv_sec = 1000}, bad = {-1, 0};
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 1);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 2)->off = 2;
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 3);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 4);
    uring_enter(&ring, 3);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 5);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)5, 0, 6);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)5, 0, 7);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &late, 1, 8);
    uring_enter(&ring, 0);
    struct io_uring_sqe *entry = uring_put(&ring, IORING_OP_TIMEOUT_REMOVE, -1, (void *)8, 0, 9);
    entry->off = (uintptr_t)&soon;
    entry->timeout_flags = IORING_TIMEOUT_UPDATE;
    uring_enter(&ring, 2);
    uring_say(&ring);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct __kernel_timespec then = {now.tv_sec, now.tv_nsec};
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &then, 1, 10)->timeout_flags = IORING_TIMEOUT_ABS;
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &bad, 1, 11);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, BAD, 1, 12);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &soon, 2, 13);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 14)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 15);
    uring_enter(&ring, 2);
    uring_say(&ring);
    entry = uring_put(&ring, IORING_OP_TIMEOUT, -1, &soon, 1, 16);
    entry->flags = IOSQE_IO_LINK;
    entry->timeout_flags = IORING_TIMEOUT_ETIME_SUCCESS;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 17);
    uring_enter(&ring, 2);
    uring_say(&ring);
}

static void linked_timeouts(void) {
    struct uring ring = uring_make(8, 0, 0);
    struct __kernel_timespec soon = {.tv_nsec = 5000000}, late = {.tv_sec = 1000};
    int ends[2];
    pipe(ends);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 1)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 2);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 3)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_LINK_TIMEOUT, -1, &late, 1, 4)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 5);
    uring_enter(&ring, 0);
    is("nothing yet", uring_count(&ring), 0);
    write(ends[1], "pipe", 4);
    gives(0, io_uring_enter, ring.fd, 0, 3, IORING_ENTER_GETEVENTS, 0, 0);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 6)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 7)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 8);
    uring_enter(&ring, 3);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 9);
    uring_do(&ring);
}

/* A ring that is told of its own completions is so only while there is room. */
static void told_of_itself(void) {
    struct uring ring = uring_make(4, IORING_SETUP_CQSIZE, 8);
    uring_put(&ring, IORING_OP_POLL_ADD, ring.fd, NULL, IORING_POLL_ADD_MULTI, 1)->poll32_events =
        POLLIN;
    gives(1, io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 2);
    gives(1, io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
    doze(20);
    is("something came", uring_count(&ring) > 0, 1);
}

static void cancelling(void) {
    struct uring ring = uring_make(16, 0, 0);
    int ends[2];
    pipe(ends);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 1);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 2);
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 3);
    uring_do(&ring);
    for (int i = 4; i < 7; i++)
        uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 4);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_ASYNC_CANCEL, -1, (void *)4, 0, 5)->cancel_flags =
        IORING_ASYNC_CANCEL_ALL;
    uring_enter(&ring, 4);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 6);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_ASYNC_CANCEL, ends[0], NULL, 0, 7)->cancel_flags =
        IORING_ASYNC_CANCEL_FD;
    uring_enter(&ring, 2);
    uring_say(&ring);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 8)->flags = IOSQE_IO_LINK;
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 9);
    uring_enter(&ring, 0);
    uring_put(&ring, IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 10)->cancel_flags =
        IORING_ASYNC_CANCEL_ANY;
    uring_enter(&ring, 3);
    uring_say(&ring);
}

/* A pipe whose reading end is held by requests alone loses it when they are ended. */
static void closed(void) {
    struct uring ring = uring_make(8, 0, 0);
    int ends[2];
    struct pollfd one = {.events = 0};
    pipe(ends);
    uring_put(&ring, IORING_OP_READ, ends[0], text, 4, 1);
    uring_enter(&ring, 0);
    close(ends[0]);
    one.fd = ends[1];
    gives(0, poll, &one, 1, 0);
    struct io_uring_params *p = &ring.params;
    munmap((char *)ring.cq_head - p->cq_off.head, p->cq_off.cqes + p->cq_entries * 16ul);
    munmap((char *)ring.sq_head - p->sq_off.head, p->sq_off.array + p->sq_entries * 4ul);
    munmap(ring.sqes, p->sq_entries * sizeof *ring.sqes);
    close(ring.fd);
    gives(1, poll, &one, 1, 5000);
    say("%x", one.revents);
}

static int shared[2];

static void leave_one(void) {
    struct uring ring = uring_make(8, 0, 0);
    uring_put(&ring, IORING_OP_READ, shared[0], text, 4, 1);
    uring_put(&ring, IORING_OP_TIMEOUT, -1, &(struct __kernel_timespec){1000, 0}, 1, 2);
    uring_enter(&ring, 0);
}

static void be_killed(void) {
    leave_one();
    raise(SIGKILL);
}

static void ended_with_requests(const char *how, void (*fn)(void)) {
    struct pollfd one = {.events = 0};
    pipe(shared);
    int child = start(fn);
    close(shared[0]);
    one.fd = shared[1];
    ended(how, child);
    gives(1, poll, &one, 1, 5000);
    say("%x", one.revents);
    close(shared[1]);
}

/* A child's requests through its parent's ring end with it; the parent's do not. */
static struct uring inherited;

static void use_inherited(void) {
    uring_put(&inherited, IORING_OP_READ, shared[0], text, 4, 2);
    uring_enter(&inherited, 0);
}

static void with_a_child(void) {
    inherited = uring_make(8, 0, 0);
    pipe(shared);
    uring_put(&inherited, IORING_OP_READ, shared[0], text, 4, 1);
    uring_enter(&inherited, 0);
    in_child("child", use_inherited);
    write(shared[1], "mine", 4);
    /* Whether its end is told of what was the child's is not said here. */
    for (bool seen = false; !seen;) {
        while (!uring_count(&inherited))
            abi_call(io_uring_enter, inherited.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
        unsigned at = (*inherited.cq_head)++ & (inherited.params.cq_entries - 1);
        seen = inherited.cqes[at].user_data == 1;
        if (seen)
            is("read", inherited.cqes[at].res, 4);
    }
    say("%.4s", text);
}

/* A new program ends what the one before has asked for. */
static void become_another(void) {
    leave_one();
    close(shared[0]);
    execl("/proc/self/exe", "abi", "none of that name", NULL);
}

int main(void) {
    polling();
    polling_many_times();
    timeouts();
    linked_timeouts();
    told_of_itself();
    cancelling();
    closed();
    ended_with_requests("exit", leave_one);
    ended_with_requests("kill", be_killed);
    ended_with_requests("exec", become_another);
    with_a_child();
}
