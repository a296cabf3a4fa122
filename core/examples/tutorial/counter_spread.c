/*
 * A counter with a number for each CPU: adding touches nothing shared, reading visits all.
 *
 * Each CPU adds to its own representative only; readers see sums that may be a moment old. Several
 * threads never share a representative here, since a CPU is one attached thread.
 */
#include "counter.h"

#include <k42/class.h>

#include <errno.h>
#include <stdio.h>

struct counter_spread {
    struct k42_clustered_root root;
    long before; /* what was counted by the counter that this one replaced */
};

struct spread_rep {
    struct counter rep;
    struct counter_spread *counter;
    long sum;       /* written by its CPU only */
    char apart[64]; /* from other CPUs' cache lines */
};

static struct spread_rep *spread_of(struct counter *self) {
    return k42_container(self, struct spread_rep, rep);
}

static k42_result spread_init_rep(struct k42_root *root, void *rep, unsigned cpu) {
    (void)cpu;
    ((struct spread_rep *)rep)->counter = k42_container(root, struct counter_spread, root.root);
    return 0;
}

static k42_result spread_add(struct counter *self, long difference) {
    struct spread_rep *rep = spread_of(self);
    long sum;
    if (__builtin_add_overflow(rep->sum, difference, &sum))
        return -EOVERFLOW;
    __atomic_store_n(&rep->sum, sum, __ATOMIC_RELAXED);
    return 0;
}

static void add_rep(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    *(long *)context += __atomic_load_n(&((struct spread_rep *)rep)->sum, __ATOMIC_RELAXED);
}

static long sum_of(struct counter_spread *counter) {
    long sum = counter->before;
    k42_each_rep(&counter->root, add_rep, &sum);
    return sum;
}

static k42_result spread_read(struct counter *self, long *sum) {
    *sum = sum_of(spread_of(self)->counter);
    return 0;
}

static k42_result spread_describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    return snprintf(text, size, "a number for each CPU");
}

static const struct counter_ops spread_ops = {
    .object.describe = spread_describe,
    .add = spread_add,
    .read = spread_read,
};

static k42_result spread_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)sum_of(k42_container(from, struct counter_spread, root.root));
    return 0;
}

static k42_result spread_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    k42_container(to, struct counter_spread, root.root)->before = (long)state->word[0];
    return 0;
}

static const struct k42_transfer spread_transfers[] = {
    {
        .format = &counter_sum_format,
        .export_state = spread_export,
        .import_state = spread_import,
    },
    {0},
};

K42_CLASS(counter_spread) = {
    .name = "counter.spread",
    .interface = &counter_interface,
    .version = 1,
    .traits = "sharing=high",
    .kind = &k42_clustered,
    .root_size = sizeof(struct counter_spread),
    .rep_size = sizeof(struct spread_rep),
    .ops = &spread_ops,
    .init_rep = spread_init_rep,
    .transfers = spread_transfers,
};
