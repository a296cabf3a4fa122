/* Linux AIO: contexts, reading and writing, polling, events. */
#include "abi.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/eventfd.h>

static char text[64];
static struct io_event events[64];

static struct iocb block(int operation, int fd, const void *buffer, size_t length, uint64_t data) {
    return (struct iocb){.aio_lio_opcode = (uint16_t)operation,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uintptr_t)buffer,
                         .aio_nbytes = length,
                         .aio_data = data};
}

static int by_data(const void *one, const void *other) {
    const struct io_event *a = one, *b = other;
    return a->data < b->data ? -1 : a->data > b->data;
}

static void say_events(long count) {
    qsort(events, (size_t)count, sizeof *events, by_data);
    for (long i = 0; i < count; i++)
        if (events[i].res < 0)
            say("  %d: %s", (int)events[i].data, strerrorname_np((int)-events[i].res));
        else
            say("  %d: %d", (int)events[i].data, (int)events[i].res);
}

/* Submits one block and says its event. */
static void done(aio_context_t context, struct iocb one) {
    struct iocb *list[1] = {&one};
    gives(1, io_submit, context, 1, list);
    gives(1, io_getevents, context, 1, 1, events, 0);
    is("its block", events[0].obj == (uintptr_t)&one, 1);
    say_events(1);
}

/* A list of this block alone. */
static struct iocb **only(struct iocb one) {
    static struct iocb kept, *list[1] = {&kept};
    kept = one;
    return list;
}

static aio_context_t made(void) {
    aio_context_t context = 0;
    gives(0, io_setup, 16, &context);
    return context;
}

static void contexts(void) {
    aio_context_t context = 1;
    fails(EINVAL, io_setup, 16, &context);
    context = 0;
    fails(EINVAL, io_setup, 0, &context);
    fails(EAGAIN, io_setup, 1 << 20, &context);
    fails(EFAULT, io_setup, 16, BAD);
    context = made();
    const uint32_t *ring = (const uint32_t *)context;
    say("%x %u", ring[4], ring[7]);
    gives(0, io_getevents, context, 0, 4, events, 0);
    gives(0, io_destroy, context);
    fails(EINVAL, io_destroy, context);
    fails(EINVAL, io_destroy, 0);
    fails(EINVAL, io_getevents, context, 0, 4, events, 0);
    fails(EINVAL, io_submit, context, 0, events);
    fails(EINVAL, io_pgetevents, context, 0, 4, events, 0, 0);
}

static void transfers(void) {
    aio_context_t context = made();
    put("file", "0123456789");
    int fd = open("file", O_RDWR), reading = open("file", O_RDONLY);
    struct iocb one = block(IOCB_CMD_PREAD, fd, text, 4, 1);
    one.aio_offset = 3;
    done(context, one);
    say("%.4s", text);
    one = block(IOCB_CMD_PWRITE, fd, "abc", 3, 2);
    one.aio_offset = 8;
    done(context, one);
    struct iovec ranges[2] = {{text, 2}, {text + 8, 3}};
    done(context, block(IOCB_CMD_PREADV, fd, ranges, 2, 3));
    say("%.2s %.3s", text, text + 8);
    done(context, block(IOCB_CMD_PWRITEV, fd, ranges, 2, 4));
    done(context, block(IOCB_CMD_FSYNC, fd, NULL, 0, 5));
    done(context, block(IOCB_CMD_FDSYNC, fd, NULL, 0, 6));
    say("%s", get("file"));
    done(context, block(IOCB_CMD_PREAD, fd, BAD, 4, 7));
    struct iocb many[3] = {block(IOCB_CMD_PREAD, fd, text, 1, 8),
                           block(IOCB_CMD_PREAD, fd, text, 2, 9),
                           block(IOCB_CMD_PREAD, fd, text, 3, 10)};
    struct iocb *list[3] = {&many[0], &many[1], &many[2]};
    gives(3, io_submit, context, 3, list);
    gives(3, io_getevents, context, 3, 16, events, 0);
    say_events(3);
    many[1].aio_lio_opcode = 77;
    gives(1, io_submit, context, 3, list);
    gives(1, io_getevents, context, 1, 16, events, 0);
    fails(EINVAL, io_submit, context, 1, only(many[1]));
    fails(EBADF, io_submit, context, 1, only(block(IOCB_CMD_PREAD, 77, text, 4, 1)));
    fails(EBADF, io_submit, context, 1, only(block(IOCB_CMD_PWRITE, reading, text, 4, 1)));
    one = block(IOCB_CMD_PREAD, fd, text, 4, 1);
    one.aio_offset = -1;
    fails(EINVAL, io_submit, context, 1, only(one));
    one.aio_offset = 0;
    one.aio_reserved2 = 1;
    fails(EINVAL, io_submit, context, 1, only(one));
    one.aio_reserved2 = 0;
    one.aio_rw_flags = 1 << 20;
    fails(EOPNOTSUPP, io_submit, context, 1, only(one));
    one.aio_rw_flags = 0;
    one.aio_flags = IOCB_FLAG_RESFD;
    one.aio_resfd = (uint32_t)fd;
    fails(EINVAL, io_submit, context, 1, only(one));
    one.aio_resfd = 77;
    fails(EBADF, io_submit, context, 1, only(one));
    fails(EFAULT, io_submit, context, 1, only(block(IOCB_CMD_PREADV, fd, BAD, 2, 1)));
    list[0] = BAD;
    fails(EFAULT, io_submit, context, 1, list);
    fails(EFAULT, io_submit, context, 1, BAD);
    fails(EINVAL, io_submit, context, -1, list);
    gives(0, io_submit, context, 0, list);
    gives(0, io_destroy, context);
}

static void told_by_eventfd(void) {
    aio_context_t context = made();
    int fd = open("file", O_RDWR), counter = eventfd(0, EFD_NONBLOCK);
    uint64_t count = 0;
    struct iocb one = block(IOCB_CMD_PREAD, fd, text, 4, 1);
    one.aio_flags = IOCB_FLAG_RESFD;
    one.aio_resfd = (uint32_t)counter;
    done(context, one);
    gives(8, read, counter, &count, 8);
    is("told", (long)count, 1);
    gives(0, io_destroy, context);
}

static void polling(void) {
    aio_context_t context = made();
    int ends[2];
    pipe(ends);
    done(context, block(IOCB_CMD_POLL, ends[1], (void *)POLLOUT, 0, 1));
    struct iocb one = block(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 2), *list[1] = {&one};
    gives(1, io_submit, context, 1, list);
    gives(0, io_getevents, context, 0, 1, events, 0);
    write(ends[1], "x", 1);
    gives(1, io_getevents, context, 1, 1, events, 0);
    is("readable", (long)events[0].res & POLLIN, POLLIN); /* and perhaps more of what woke it */
    read(ends[0], text, 1);
    one.aio_data = 3;
    gives(1, io_submit, context, 1, list);
    fails(EINPROGRESS, io_cancel, context, &one, events);
    gives(1, io_getevents, context, 1, 1, events, 0);
    is("data", (long)events[0].data, 3);
    fails(EINVAL, io_cancel, context, &one, events);
    fails(EFAULT, io_cancel, context, BAD, events);
    one.aio_key = 5;
    fails(EINVAL, io_cancel, context, &one, events);
    fails(EINVAL, io_submit, context, 1,
          only(block(IOCB_CMD_POLL, ends[0], (void *)0x10001, 0, 1)));
    fails(EINVAL, io_submit, context, 1, only(block(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 5, 1)));
    one = block(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 4);
    gives(1, io_submit, context, 1, list);
    gives(0, io_destroy, context);
}

static void waiting(void) {
    aio_context_t context = made();
    struct timespec soon = {.tv_nsec = 10000000}, bad = {.tv_nsec = -1};
    gives(0, io_getevents, context, 1, 4, events, &soon);
    gives(0, io_pgetevents, context, 1, 4, events, &soon, 0);
    fails(EINVAL, io_getevents, context, 4, 1, events, &soon);
    fails(EINVAL, io_getevents, context, -1, 1, events, &soon);
    fails(EFAULT, io_getevents, context, 1, 1, events, BAD);
    fails(EFAULT, io_pgetevents, context, 1, 1, events, BAD, 0);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, io_getevents, context, 1, 4, events, 0);
    is("caught", caught >= 1, 1);
    sigset_t none, alarm;
    sigemptyset(&none);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    struct {
        const sigset_t *mask;
        size_t size;
    } with = {&none, 8}, wrong = {&none, 4};
    alarm_in(20);
    fails(EINTR, io_pgetevents, context, 1, 4, events, 0, &with);
    is("caught", caught >= 2, 1);
    fails(EINVAL, io_pgetevents, context, 1, 4, events, 0, &wrong);
    put("file", "0123456789");
    struct iocb one = block(IOCB_CMD_PREAD, open("file", O_RDONLY), text, 4, 1), *list[1] = {&one};
    gives(1, io_submit, context, 1, list);
    fails(EFAULT, io_getevents, context, 1, 1, BAD, 0);
    gives(1, io_getevents, context, 1, 1, events, 0);
}

/* No more is submitted than events fit. */
static void full(void) {
    aio_context_t context = 0;
    gives(0, io_setup, 1, &context);
    struct iocb one = block(IOCB_CMD_PREAD, open("file", O_RDONLY), text, 1, 1), *list[1] = {&one};
    long result = 1;
    for (int i = 0; i < 100000 && result == 1; i++)
        result = abi_call(io_submit, context, 1, list);
    fails(EAGAIN, io_submit, context, 1, list);
    gives(4, io_getevents, context, 4, 4, events, 0);
    gives(1, io_submit, context, 1, list);
}

static aio_context_t of_parent;

static void use_parents(void) {
    fails(EINVAL, io_getevents, of_parent, 0, 1, events, 0);
}

int main(void) {
    contexts();
    transfers();
    told_by_eventfd();
    polling();
    waiting();
    full();
    of_parent = made();
    in_child("child", use_parents);
}
