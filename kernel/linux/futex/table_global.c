/*
 * Futexes of an address space in the table of all who wait.
 *
 * State: which address space. Locking: the buckets'. Format: futex_table.waiters. Cannot fail.
 */
#include "futex_table.h"

#include "../../sched/wait.h"
#include "runtime.h"

struct global {
    struct k42_root root;
    struct futex_table rep;
    k42_id space;
};

static struct global *global_of(struct k42_root *root) {
    return k42_container(root, struct global, root);
}

static k42_result global_add(struct futex_table *self, struct wait_set *set,
                             struct wait_entry *entry, const struct wait_point *point) {
    (void)self;
    wait_set_add_once(set, entry, *point);
    return 0;
}

static k42_result global_wake(struct futex_table *self, const struct wait_point *point,
                              unsigned count) {
    (void)self;
    return wait_notify(point->id, point->key, point->events, count);
}

static k42_result global_requeue(struct futex_table *self, const struct wait_requeue *how) {
    (void)self;
    return wait_requeue(how);
}

static k42_result global_describe(struct k42_object *object, char *text, size_t size) {
    struct global *global = k42_container(object, struct global, rep);
    return k42_format_text(text, size, "futexes of space %u, in the table of all", global->space);
}

static k42_result global_init(struct k42_root *root, const void *args) {
    global_of(root)->space = args ? *(const k42_id *)args : 0;
    return 0;
}

static k42_result global_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[FUTEX_TABLE_SPACE] = global_of(from)->space;
    state->word[FUTEX_TABLE_BUCKETS] = (uintptr_t)wait_buckets;
    state->word[FUTEX_TABLE_SHIFT] = wait_shift;
    return 0;
}

static k42_result global_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct wait_table all = wait_table_of_all();
    struct wait_table from = {(struct wait_bucket *)state->word[FUTEX_TABLE_BUCKETS],
                              (unsigned)state->word[FUTEX_TABLE_SHIFT]};
    (void)part;
    global_of(to)->space = (k42_id)state->word[FUTEX_TABLE_SPACE];
    wait_table_move(&from, &all, global_of(to)->space);
    return 0;
}

static const struct futex_table_ops global_ops = {
    .object.describe = global_describe,
    .add = global_add,
    .wake = global_wake,
    .requeue = global_requeue,
};

static const struct k42_transfer global_transfers[] = {
    {.format = &futex_table_waiters, .export_state = global_export, .import_state = global_import},
    {0},
};

K42_CLASS(futex_table_global) = {
    .name = "futex_table.global",
    .interface = &futex_table_interface,
    .version = 1,
    .traits = "waiters=few",
    .kind = &k42_single,
    .root_size = sizeof(struct global),
    .rep_offset = offsetof(struct global, rep),
    .ops = &global_ops,
    .init = global_init,
    .transfers = global_transfers,
};
