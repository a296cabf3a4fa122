/*
 * The gauge classes: an atomic interface, whose two words a caller must never see apart.
 *
 * The words are atomic one by one; a call outside a rendezvous' protection could see one moved and
 * the other not. Locking: none.
 */
#include "fixture.h"

struct gauge_root {
    struct k42_root root;
    struct gauge rep;
    uintptr_t low, high;
};

static struct gauge_root *gauge_of(struct gauge *self) {
    return k42_container(self, struct gauge_root, rep);
}

static k42_result gauge_describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    text[0] = '\0';
    return size ? 0 : -EINVAL;
}

static k42_result gauge_raise(struct gauge *self) {
    __atomic_fetch_add(&gauge_of(self)->low, 1, __ATOMIC_ACQ_REL);
    __atomic_fetch_add(&gauge_of(self)->high, 1, __ATOMIC_ACQ_REL);
    return 0;
}

static struct k42_pair gauge_read(struct gauge *self) {
    return (struct k42_pair){
        .result = (k42_result)__atomic_load_n(&gauge_of(self)->low, __ATOMIC_ACQUIRE),
        .word = __atomic_load_n(&gauge_of(self)->high, __ATOMIC_ACQUIRE)};
}

static k42_result gauge_which(struct gauge *self) {
    return gauge_of(self)->root.class_ == &gauge_first ? 1 : 2;
}

static const struct gauge_ops gauge_ops = {
    .object.describe = gauge_describe,
    .raise = gauge_raise,
    .read = gauge_read,
    .which = gauge_which,
};

static const char *const gauge_methods[] = {"describe", "raise", "read", "which"};
const struct k42_interface gauge_interface = {
    .name = "gauge",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct gauge_ops),
    .flags = K42_INTERFACE_ATOMIC,
    .method_names = gauge_methods,
};

static k42_result gauge_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = __atomic_load_n(&((struct gauge_root *)from)->low, __ATOMIC_ACQUIRE);
    state->word[1] = __atomic_load_n(&((struct gauge_root *)from)->high, __ATOMIC_ACQUIRE);
    return 0;
}

static k42_result gauge_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct gauge_root *)to)->low = state->word[0];
    ((struct gauge_root *)to)->high = state->word[1];
    return 0;
}

static const struct k42_format gauge_format = {"gauge.words", 1, 1};
static const struct k42_transfer gauge_transfers[] = {
    {.format = &gauge_format, .export_state = gauge_export, .import_state = gauge_import},
    {.format = NULL}};

#define GAUGE(symbol, name_)                                                                       \
    K42_CLASS(symbol) = {                                                                          \
        .name = name_,                                                                             \
        .interface = &gauge_interface,                                                             \
        .version = 1,                                                                              \
        .kind = &k42_single,                                                                       \
        .root_size = sizeof(struct gauge_root),                                                    \
        .rep_offset = offsetof(struct gauge_root, rep),                                            \
        .ops = &gauge_ops,                                                                         \
        .transfers = gauge_transfers,                                                              \
    }
GAUGE(gauge_first, "gauge.first");
GAUGE(gauge_second, "gauge.second");
