/*
 * A program as a user writes it: one object, called, replaced by one of another class, called
 * again.
 *
 * Compiled against the installed library with what pkg-config says and nothing else. One thread, no
 * lock; ends with 0 when each step gave what it should, and says on standard error which did not.
 */
#include <stdio.h>

#include <k42/k42.h>

struct counter;
struct counter_ops {
    struct k42_object_ops object;
    K42_METHOD(add)(struct counter *self, long amount);
};
struct counter {
    const struct counter_ops *ops;
};
K42_DECLARE_REF(counter);

static const struct k42_interface counter_interface = {
    .name = "counter",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct counter_ops),
};

struct counter_root {
    struct k42_root root;
    struct counter counter;
    long value;
};

static struct counter_root *root_of(void *counter) {
    return k42_container(counter, struct counter_root, counter);
}

static k42_result describe(struct k42_object *self, char *text, size_t size) {
    return snprintf(text, size, "counter at %ld", root_of(self)->value);
}

static k42_result add(struct counter *self, long amount) {
    return root_of(self)->value += amount;
}

static k42_result add_twice(struct counter *self, long amount) {
    return root_of(self)->value += 2 * amount;
}

static const struct counter_ops single_ops = {.object.describe = describe, .add = add};
static const struct counter_ops double_ops = {.object.describe = describe, .add = add_twice};

static const struct k42_format counter_value = {.name = "counter.value", .version = 1, .cost = 1};

static size_t measure(struct k42_root *from) {
    (void)from;
    return 1;
}

static k42_result export_value(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)((struct counter_root *)from)->value;
    return 0;
}

static k42_result import_value(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct counter_root *)to)->value = (long)state->word[0];
    return 0;
}

static const struct k42_transfer transfers[] = {
    {
        .format = &counter_value,
        .measure = measure,
        .export_state = export_value,
        .import_state = import_value,
    },
    {.format = NULL},
};

#define COUNTER_CLASS(symbol, class_name, class_ops)                                               \
    K42_CLASS(symbol) = {                                                                          \
        .name = class_name,                                                                        \
        .interface = &counter_interface,                                                           \
        .version = 1,                                                                              \
        .kind = &k42_single,                                                                       \
        .root_size = sizeof(struct counter_root),                                                  \
        .rep_offset = offsetof(struct counter_root, counter),                                      \
        .ops = &class_ops,                                                                         \
        .transfers = transfers,                                                                    \
    }
COUNTER_CLASS(counter_single, "counter.single", single_ops);
COUNTER_CLASS(counter_double, "counter.double", double_ops);

static int wrong;

static void expect(const char *what, k42_result got, k42_result wanted) {
    if (got != wanted) {
        fprintf(stderr, "%s gave %ld, not %ld\n", what, got, wanted);
        wrong = 1;
    }
}

static k42_result call_add(k42_ref ref, long amount) {
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, add, amount);
    k42_exit();
    return result;
}

int main(void) {
    k42_ref ref = K42_NULL_REF;
    expect("k42_init", k42_init(NULL), 0);
    expect("k42_attach", k42_attach("main"), 0);
    expect("k42_create", k42_create(&counter_single, NULL, &ref), 0);
    if (wrong)
        return 1;
    expect("a call", call_add(ref, 5), 5);
    expect("k42_swap", k42_swap(ref, &counter_double, NULL), 0);
    expect("a call after the swap", call_add(ref, 5), 15);
    expect("k42_destroy", k42_destroy(ref), 0);
    expect("a call of a dead ref", call_add(ref, 5), -K42_STALE);
    expect("k42_detach", k42_detach(), 0);
    expect("k42_shutdown", k42_shutdown(), 0);
    return wrong;
}
