/*
 * A counter that is one number under one lock: small, and slow when many threads count.
 *
 * Locking: counter->lock, leaf.
 */
#include "counter.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <errno.h>
#include <stdio.h>

struct counter_locked {
    struct k42_root root;
    struct counter rep;
    struct k42_lock lock;
    long sum;
};

static struct counter_locked *locked_of(struct counter *self) {
    return k42_container(self, struct counter_locked, rep);
}

static k42_result locked_add(struct counter *self, long difference) {
    struct counter_locked *counter = locked_of(self);
    long sum;
    k42_lock(&counter->lock);
    int overflows = __builtin_add_overflow(counter->sum, difference, &sum);
    if (!overflows)
        counter->sum = sum;
    k42_unlock(&counter->lock);
    return overflows ? -EOVERFLOW : 0;
}

static k42_result locked_read(struct counter *self, long *sum) {
    struct counter_locked *counter = locked_of(self);
    k42_lock(&counter->lock);
    *sum = counter->sum;
    k42_unlock(&counter->lock);
    return 0;
}

static k42_result locked_describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    return snprintf(text, size, "one number under one lock");
}

static const struct counter_ops locked_ops = {
    .object.describe = locked_describe,
    .add = locked_add,
    .read = locked_read,
};

static k42_result locked_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)k42_container(from, struct counter_locked, root)->sum;
    return 0;
}

static k42_result locked_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    k42_container(to, struct counter_locked, root)->sum = (long)state->word[0];
    return 0;
}

static const struct k42_transfer locked_transfers[] = {
    {
        .format = &counter_sum_format,
        .export_state = locked_export,
        .import_state = locked_import,
    },
    {0},
};

K42_CLASS(counter_locked) = {
    .name = "counter.locked",
    .interface = &counter_interface,
    .version = 1,
    .traits = "sharing=low",
    .kind = &k42_single,
    .root_size = sizeof(struct counter_locked),
    .rep_offset = offsetof(struct counter_locked, rep),
    .ops = &locked_ops,
    .transfers = locked_transfers,
};
