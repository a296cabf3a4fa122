/*
 * eventfd: a number that writing adds to and reading takes away, all of it or one at a time.
 *
 * The number is changed by compare-and-swap, which is a full barrier, before anybody is notified:
 * who is about to wait either sees it or is in the table by then. A call copies first and changes
 * the number afterwards, so that a page that is missing costs nobody anything; when the number has
 * changed meanwhile, it copies again.
 *
 * A reader is woken for each thing there is to take, and passes it on when it does not take it;
 * writers wait for different amounts of room, so all of them are.
 *
 * Data: `count`; no lock. Format: file.counter, by pointer. Fails: -EINVAL.
 */
#include "unnamed.h"

#define MOST (~0ul - 1) /* the number never gets beyond it */

struct counter {
    struct opened opened;
    uint64_t count;
    bool one_at_a_time;
};

#define COUNTER(self) k42_container(OPENED(self), struct counter, opened)

static k42_result counter_read(struct file *self, int64_t offset, struct copy *copy) {
    struct counter *counter = COUNTER(self);
    struct copy begin = *copy;
    uint64_t count = __atomic_load_n(&counter->count, __ATOMIC_SEQ_CST), taken;
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (copy->left < sizeof taken)
        return -EINVAL;
    do {
        if (!count)
            return unnamed_wait(&counter->opened, WAIT_READ);
        *copy = begin;
        taken = counter->one_at_a_time ? 1 : count;
        k42_result result = unnamed_copy_out(copy, &taken, sizeof taken);
        if (result < 0)
            return result;
    } while (!__atomic_compare_exchange_n(&counter->count, &count, count - taken, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    (void)!wait_notify(unnamed_id(&counter->opened), UNNAMED_DATA, WAIT_WRITE, WAIT_ALL);
    return sizeof taken;
}

static uint32_t takers(const struct counter *counter, uint64_t added) {
    if (!counter->one_at_a_time)
        return 1;
    return added < WAIT_ALL ? (uint32_t)added : WAIT_ALL;
}

static k42_result counter_write(struct file *self, int64_t offset, struct copy *copy) {
    struct counter *counter = COUNTER(self);
    struct copy at = *copy;
    uint64_t added, count;
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (copy->left < sizeof added)
        return -EINVAL;
    k42_result result = unnamed_copy_in(&at, &added, sizeof added);
    if (result < 0)
        return result;
    if (added > MOST)
        return -EINVAL;
    count = __atomic_load_n(&counter->count, __ATOMIC_SEQ_CST);
    do
        if (MOST - count < added)
            return unnamed_wait(&counter->opened, WAIT_WRITE);
    while (!__atomic_compare_exchange_n(&counter->count, &count, count + added, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    /* What is left of a longer buffer is not written, and not asked for again. */
    *copy = at;
    copy->left = copy->here = 0;
    (void)!wait_notify(unnamed_id(&counter->opened), UNNAMED_DATA, WAIT_READ,
                       takers(counter, added));
    return sizeof added;
}

static k42_result counter_poll(struct file *self, struct file_poll *poll) {
    struct counter *counter = COUNTER(self);
    uint64_t count = __atomic_load_n(&counter->count, __ATOMIC_SEQ_CST);
    unnamed_poll(&counter->opened, poll);
    return FILE_NO_BANDS | (count ? FILE_READABLE : 0) | (count < MOST ? FILE_WRITABLE : 0);
}

static k42_result counter_control(struct file *self, unsigned request, uintptr_t argument) {
    (void)self, (void)argument;
    return request == FILE_KIND ? FILE_OF_COUNTER : -ENOTTY;
}

static const struct file_ops counter_ops = {
    UNNAMED_METHODS,      .read = counter_read, .write = counter_write, .control = counter_control,
    .poll = counter_poll, .seek = unnamed_seek,
};

static const struct k42_format counter_format = {"file.counter", 1, 1};
static const struct k42_transfer counter_transfers[] = BODY_TRANSFERS(counter_format);

K42_CLASS(file_counter) = {
    .name = "file.counter",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &counter_ops,
    .fini = opened_fini,
    .transfers = counter_transfers,
};

/* ---- calls ---- */

enum { ONE_AT_A_TIME = 1 };

static k42_result set_up(struct opened *opened, void *context) {
    struct counter *counter = k42_container(opened, struct counter, opened);
    const struct counter *from = context;
    counter->count = from->count;
    counter->one_at_a_time = from->one_at_a_time;
    return 0;
}

static k42_result open_counter(unsigned count, unsigned flags) {
    struct counter from = {.count = count, .one_at_a_time = flags & ONE_AT_A_TIME};
    if (flags & ~(unsigned)(ONE_AT_A_TIME | OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    return unnamed_open(&file_counter, sizeof from, flags, set_up, &from);
}

LINUX_CALL(284, eventfd, unsigned count) {
    return open_counter(count, 0);
}

LINUX_CALL(290, eventfd2, unsigned count, unsigned flags) {
    return open_counter(count, flags);
}
