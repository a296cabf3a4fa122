/*
 * The object under measurement; see tally.h. `sum` is reached with relaxed atomic operations only,
 * since several threads share the one representative.
 */
#include "tally.h"
#include "measure.h"

#include <stdio.h>

struct tally_object {
    struct k42_root root;
    struct tally rep;
    long sum;
};

static struct tally_object *of_rep(struct tally *self) {
    return k42_container(self, struct tally_object, rep);
}

static struct tally_object *of_root(struct k42_root *root) {
    return k42_container(root, struct tally_object, root);
}

static k42_result tally_describe(struct k42_object *self, char *text, size_t size) {
    long sum = __atomic_load_n(&of_rep((struct tally *)(void *)self)->sum, __ATOMIC_RELAXED);
    return snprintf(text, size, "sum %ld", sum);
}

__attribute__((noinline)) long tally_echo(struct tally *self, long amount) {
    (void)self;
    return amount;
}

static k42_result tally_add(struct tally *self, long amount) {
    __atomic_fetch_add(&of_rep(self)->sum, amount, __ATOMIC_RELAXED);
    return 0;
}

static k42_result tally_total(struct tally *self) {
    return __atomic_load_n(&of_rep(self)->sum, __ATOMIC_RELAXED);
}

const struct tally_ops tally_operations = {
    .object.describe = tally_describe,
    .echo = tally_echo,
    .add = tally_add,
    .total = tally_total,
};

static const char *const method_names[] = {"describe", "echo", "add", "total"};
static const struct k42_interface tally_interface = {
    .name = "tally",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct tally_ops),
    .method_names = method_names,
};

static const struct k42_format tally_sum = {.name = "tally.sum", .version = 1, .cost = 1};

static size_t measure_sum(struct k42_root *from) {
    (void)from;
    return 1;
}

static k42_result export_sum(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)__atomic_load_n(&of_root(from)->sum, __ATOMIC_RELAXED);
    return 0;
}

static k42_result import_sum(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    __atomic_store_n(&of_root(to)->sum, (long)state->word[0], __ATOMIC_RELAXED);
    return 0;
}

static const struct k42_transfer transfers[] = {
    {
        .format = &tally_sum,
        .measure = measure_sum,
        .export_state = export_sum,
        .import_state = import_sum,
    },
    {.format = NULL},
};

#define TALLY_CLASS(symbol, name_, version_)                                                       \
    K42_CLASS(symbol) = {                                                                          \
        .name = name_,                                                                             \
        .interface = &tally_interface,                                                             \
        .version = version_,                                                                       \
        .kind = &k42_single,                                                                       \
        .root_size = sizeof(struct tally_object),                                                  \
        .rep_offset = offsetof(struct tally_object, rep),                                          \
        .ops = &tally_operations,                                                                  \
        .transfers = transfers,                                                                    \
    }

TALLY_CLASS(tally_plain, "tally.plain", 1);
TALLY_CLASS(tally_plain_2, "tally.plain", 2);
TALLY_CLASS(tally_other, "tally.other", 1);

tally_ref tally_create(struct k42_class *class_) {
    k42_ref ref = K42_NULL_REF;
    measure_require(k42_create(class_, NULL, &ref), "making an object");
    return (tally_ref)ref;
}
