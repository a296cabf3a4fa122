/*
 * What the tests of classes and the components they load have in common: the interface `tally` in
 * two versions, and a plain implementation of each.
 *
 * An object counts what is added to it; its total passes to whatever takes its place, so a total
 * tells whether a call was lost or made twice. Everything here is static: each component brings its
 * own copy, compiled from this header, as real ones do. Locking: totals are atomic.
 */
#ifndef K42_TESTS_TALLY_H
#define K42_TESTS_TALLY_H

#include <k42/k42.h>

struct tally;
struct tally_ops {
    struct k42_object_ops object;
    K42_METHOD(add)(struct tally *self, long amount);
    K42_METHOD(value)(struct tally *self);
    /* The version of the class that answers. */
    K42_METHOD(version)(struct tally *self);
};
struct tally {
    const struct tally_ops *ops;
};
K42_DECLARE_REF(tally);

/* The second version: an amount is added several times in one call. */
struct tally2;
struct tally2_ops {
    struct k42_object_ops object;
    K42_METHOD(add_times)(struct tally2 *self, long amount, long times);
    K42_METHOD(value)(struct tally2 *self);
    K42_METHOD(version)(struct tally2 *self);
    K42_METHOD(calls)(struct tally2 *self);
};
struct tally2 {
    const struct tally2_ops *ops;
};
K42_DECLARE_REF(tally2);

static const char *const tally_methods[] = {"describe", "add", "value", "version"};
static const struct k42_interface tally_interface = {
    .name = "tally",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct tally_ops),
    .method_names = tally_methods,
};
__attribute__((unused)) static const char *const tally2_methods[] = {"describe", "add_times",
                                                                     "value", "version", "calls"};
__attribute__((unused)) static const struct k42_interface tally2_interface = {
    .name = "tally",
    .version = 2,
    .methods = K42_METHOD_COUNT(struct tally2_ops),
    .method_names = tally2_methods,
};

/* ---- one object ---- */

struct tally_object {
    struct k42_root root;
    struct k42_object rep; /* operations of either version */
    long total, calls;
};

static inline struct tally_object *tally_of(const void *self) {
    return k42_container((void *)(uintptr_t)self, struct tally_object, rep);
}

static inline long tally_read(const long *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline k42_result tally_count(struct tally_object *object, long amount) {
    __atomic_fetch_add(&object->total, amount, __ATOMIC_RELAXED);
    __atomic_fetch_add(&object->calls, 1, __ATOMIC_RELAXED);
    return 0;
}

__attribute__((unused)) static k42_result tally_add(struct tally *self, long amount) {
    return tally_count(tally_of(self), amount);
}
__attribute__((unused)) static k42_result tally_value(struct tally *self) {
    return tally_read(&tally_of(self)->total);
}
__attribute__((unused)) static k42_result tally_version(struct tally *self) {
    return k42_root_class(&tally_of(self)->root)->version;
}
__attribute__((unused)) static k42_result tally2_add_times(struct tally2 *self, long amount,
                                                           long times) {
    return tally_count(tally_of(self), amount * times);
}
__attribute__((unused)) static k42_result tally2_value(struct tally2 *self) {
    return tally_read(&tally_of(self)->total);
}
__attribute__((unused)) static k42_result tally2_version(struct tally2 *self) {
    return k42_root_class(&tally_of(self)->root)->version;
}
__attribute__((unused)) static k42_result tally2_calls(struct tally2 *self) {
    return tally_read(&tally_of(self)->calls);
}

__attribute__((unused)) static const struct tally_ops tally_plain_ops = {
    .add = tally_add, .value = tally_value, .version = tally_version};
__attribute__((unused)) static const struct tally2_ops tally2_plain_ops = {
    .add_times = tally2_add_times,
    .value = tally2_value,
    .version = tally2_version,
    .calls = tally2_calls};

/* What it is made with: the address of the total to begin with, or NULL. */
static inline k42_result tally_init(struct k42_root *root, const void *args) {
    if (args)
        ((struct tally_object *)root)->total = *(const long *)args;
    return 0;
}

/* ---- its state: the total; the calls too between versions that know of them ---- */

static const struct k42_format tally_format = {"tally.total", 1, 2};

static inline k42_result tally_export(struct k42_root *from, struct k42_state *state,
                                      unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)((struct tally_object *)from)->total;
    return 0;
}

static inline k42_result tally_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct tally_object *)to)->total = (long)state->word[0];
    return 0;
}

__attribute__((unused)) static const struct k42_transfer tally_transfers[] = {
    {.format = &tally_format, .export_state = tally_export, .import_state = tally_import},
    {.format = NULL},
};

/* The members that all plain classes share. */
#define TALLY_PLAIN(name_, version_)                                                               \
    .name = (name_), .version = (version_), .interface = &tally_interface, .kind = &k42_single,    \
    .root_size = sizeof(struct tally_object), .rep_offset = offsetof(struct tally_object, rep),    \
    .ops = &tally_plain_ops, .init = tally_init, .transfers = tally_transfers
#define TALLY2_PLAIN(name_, version_)                                                              \
    .name = (name_), .version = (version_), .interface = &tally2_interface, .kind = &k42_single,   \
    .root_size = sizeof(struct tally_object), .rep_offset = offsetof(struct tally_object, rep),    \
    .ops = &tally2_plain_ops, .init = tally_init, .transfers = tally_transfers

#endif
