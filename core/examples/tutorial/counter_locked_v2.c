/*
 * A component: version 2 of counter.locked, which needs no lock.
 */
#include "counter.h"

#include <k42/component.h>

#include <errno.h>
#include <stdio.h>

K42_COMPONENT("counter_locked_v2");

struct counter_atomic {
    struct k42_root root;
    struct counter rep;
    long sum;
};

static struct counter_atomic *atomic_of(struct counter *self) {
    return k42_container(self, struct counter_atomic, rep);
}

static k42_result atomic_add(struct counter *self, long difference) {
    struct counter_atomic *counter = atomic_of(self);
    long before = __atomic_load_n(&counter->sum, __ATOMIC_RELAXED), sum;
    do
        if (__builtin_add_overflow(before, difference, &sum))
            return -EOVERFLOW;
    while (!__atomic_compare_exchange_n(&counter->sum, &before, sum, 1, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    return 0;
}

static k42_result atomic_read(struct counter *self, long *sum) {
    *sum = __atomic_load_n(&atomic_of(self)->sum, __ATOMIC_RELAXED);
    return 0;
}

static k42_result atomic_describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    return snprintf(text, size, "one number, atomic");
}

static const struct counter_ops atomic_ops = {
    .object.describe = atomic_describe,
    .add = atomic_add,
    .read = atomic_read,
};

static k42_result atomic_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)k42_container(from, struct counter_atomic, root)->sum;
    return 0;
}

static k42_result atomic_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    k42_container(to, struct counter_atomic, root)->sum = (long)state->word[0];
    return 0;
}

static const struct k42_transfer atomic_transfers[] = {
    {
        .format = &counter_sum_format,
        .export_state = atomic_export,
        .import_state = atomic_import,
    },
    {0},
};

K42_CLASS(counter_locked_v2) = {
    .name = "counter.locked",
    .interface = &counter_interface,
    .version = 2,
    .traits = "sharing=low",
    .kind = &k42_single,
    .root_size = sizeof(struct counter_atomic),
    .rep_offset = offsetof(struct counter_atomic, rep),
    .ops = &atomic_ops,
    .transfers = atomic_transfers,
};
