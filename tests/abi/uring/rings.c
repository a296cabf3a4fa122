/* io_uring_setup and io_uring_enter: rings, their memory, and what they refuse. */
#include "uring.h"

#include <poll.h>
#include <sys/epoll.h>

static void refused(void) {
    struct io_uring_params params = {.flags = 0};
    char *none = read_only();
    fails(EFAULT, io_uring_setup, 8, BAD);
    fails(EFAULT, io_uring_setup, 8, none);
    fails(EINVAL, io_uring_setup, 0, &params);
    fails(EINVAL, io_uring_setup, 32769, &params);
    params.resv[1] = 1;
    fails(EINVAL, io_uring_setup, 8, &params);
    params = (struct io_uring_params){.flags = 1u << 31};
    fails(EINVAL, io_uring_setup, 8, &params);
    params = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE};
    fails(EINVAL, io_uring_setup, 8, &params);
    params.cq_entries = 4;
    fails(EINVAL, io_uring_setup, 8, &params);
    params = (struct io_uring_params){.flags = IORING_SETUP_TASKRUN_FLAG};
    fails(EINVAL, io_uring_setup, 8, &params);
}

static void sizes(void) {
    struct io_uring_params params = {.flags = IORING_SETUP_CLAMP};
    int fd = works(io_uring_setup, 5, &params);
    say("%u %u", params.sq_entries, params.cq_entries);
    is("close on exec", fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    params = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE, .cq_entries = 33};
    close((int)works(io_uring_setup, 4, &params));
    say("%u %u", params.sq_entries, params.cq_entries);
    struct rlimit few, before;
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){3, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    params.flags = 0;
    fails(EMFILE, io_uring_setup, 8, &params);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void memory(void) {
    struct uring ring = uring_make(8, 0, 0);
    fails(EINVAL, read, ring.fd, pages(1), 8);
    fails(EINVAL, write, ring.fd, pages(1), 8);
    is("one map for both", ring.params.features & IORING_FEAT_SINGLE_MMAP, 1);
    is("nothing there", (long)uring_count(&ring), 0);
    fails(EINVAL, io_uring_enter, ring.fd, 0, 0, 1u << 20, 0, 0);
    fails(EBADF, io_uring_enter, 77, 0, 0, 0, 0, 0);
    fails(EOPNOTSUPP, io_uring_enter, 0, 0, 0, 0, 0, 0);
    gives(0, io_uring_enter, ring.fd, 4, 0, 0, 0, 0);
}

static void nothing(void) {
    struct uring ring = uring_make(4, 0, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i <= 4; i++)
            uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, (uint64_t)(round * 10 + i));
        uring_enter(&ring, 4);
        uring_say(&ring);
    }
}

static void bad_entries(void) {
    struct uring ring = uring_make(8, 0, 0);
    uring_put(&ring, 200, -1, NULL, 0, 1);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 2);
    gives(1, io_uring_enter, ring.fd, 2, 0, 0, 0, 0);
    uring_say(&ring);
    uring_do(&ring);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 3)->flags = 0x80;
    uring_do(&ring);
    struct uring all = uring_make(8, IORING_SETUP_SUBMIT_ALL, 0);
    uring_put(&all, 200, -1, NULL, 0, 1);
    uring_put(&all, IORING_OP_NOP, -1, NULL, 0, 2);
    uring_enter(&all, 2);
    uring_say(&all);
}

/* An index that is none of an entry, and tails and heads that make no sense. */
static void scribbled(void) {
    struct uring ring = uring_make(4, 0, 0);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 1);
    ring.array[0] = 1000;
    gives(0, io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
    say("dropped %u", *ring.sq_dropped);
    *ring.sq_tail += 1000;
    for (int i = 0; i < 4; i++) {
        memset(&ring.sqes[i], 0, sizeof *ring.sqes);
        ring.sqes[i].user_data = (uint64_t)i + 5;
        ring.array[i] = (uint32_t)i;
    }
    gives(4, io_uring_enter, ring.fd, 1000, 0, 0, 0, 0);
    uring_say(&ring);
    struct uring other = uring_make(4, 0, 0);
    *other.cq_head = 12345;
    uring_put(&other, IORING_OP_NOP, -1, NULL, 0, 1);
    gives(1, io_uring_enter, other.fd, 1, 0, 0, 0, 0);
    is("tail", *other.cq_tail, 0);
}

static void overflow(void) {
    struct uring ring = uring_make(4, IORING_SETUP_CQSIZE, 4);
    for (int i = 1; i <= 12; i++) {
        uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, (uint64_t)i);
        gives(1, io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
    }
    is("full", (long)uring_count(&ring), 4);
    is("overflows", (long)(*ring.sq_flags & IORING_SQ_CQ_OVERFLOW), IORING_SQ_CQ_OVERFLOW);
    for (int round = 0; round < 3; round++) {
        uring_say(&ring);
        gives(0, io_uring_enter, ring.fd, 0, round < 2 ? 4 : 0, IORING_ENTER_GETEVENTS, 0, 0);
    }
    is("overflows", (long)(*ring.sq_flags & IORING_SQ_CQ_OVERFLOW), 0);
}

static void polled(void) {
    struct uring ring = uring_make(4, 0, 0);
    struct pollfd one = {ring.fd, POLLIN | POLLOUT};
    int set = (int)works(epoll_create1, 0);
    struct epoll_event event = {.events = EPOLLIN};
    gives(0, epoll_ctl, set, EPOLL_CTL_ADD, ring.fd, &event);
    gives(1, poll, &one, 1, 0);
    say("%x", one.revents);
    gives(0, epoll_wait, set, &event, 1, 0);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 1);
    gives(1, io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
    gives(1, poll, &one, 1, 0);
    say("%x", one.revents);
    gives(1, epoll_wait, set, &event, 1, 0);
    uring_say(&ring);
    gives(0, epoll_wait, set, &event, 1, 0);
}

static void waited_for(void) {
    struct uring ring = uring_make(4, 0, 0);
    struct __kernel_timespec soon = {.tv_nsec = 10000000};
    struct io_uring_getevents_arg more = {.ts = (uintptr_t)&soon};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    fails(ETIME, io_uring_enter, ring.fd, 0, 1, flags, &more, sizeof more);
    fails(EINVAL, io_uring_enter, ring.fd, 0, 1, flags, &more, 8);
    fails(EFAULT, io_uring_enter, ring.fd, 0, 1, flags, BAD, sizeof more);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    is("caught", caught, 1);
    sigset_t none;
    sigemptyset(&none);
    fails(EINVAL, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 4);
    fails(EFAULT, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, BAD, 8);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    alarm_in(20);
    fails(EINTR, io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 8);
    is("caught", caught, 2);
}

static void disabled(void) {
    struct uring ring = uring_make(4, IORING_SETUP_R_DISABLED, 0);
    uring_put(&ring, IORING_OP_NOP, -1, NULL, 0, 1);
    fails(EBADFD, io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
    gives(0, io_uring_register, ring.fd, IORING_REGISTER_ENABLE_RINGS, 0, 0);
    fails(EBADFD, io_uring_register, ring.fd, IORING_REGISTER_ENABLE_RINGS, 0, 0);
    uring_do(&ring);
}

int main(void) {
    refused();
    sizes();
    memory();
    nothing();
    bad_entries();
    scribbled();
    overflow();
    polled();
    waited_for();
    disabled();
}
