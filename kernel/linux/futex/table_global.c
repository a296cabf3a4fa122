/*
 * Futexes of an address space in the table of those of all.
 *
 * State: which address space; its waiters stand among the others'. A swap to a table of the space's
 * own looks through all buckets, whose number is fixed, and takes out what is the space's: its id
 * is in the entries. Nobody adds or notifies any of these meanwhile, for both are calls of this
 * object. Who gave up or was notified may leave, and entries of other spaces come and go, each
 * under its bucket's lock.
 *
 * Locking: the buckets'. Format: futex_table.waiters. Cannot fail.
 */
#include "futex_table.h"

#include "futexes_of_all.h"
#include "runtime.h"

struct wait_bucket futexes_of_all_buckets[1u << FUTEXES_OF_ALL_BITS];

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
    wait_table_add_once(&futexes_of_all, set, entry, *point);
    return 0;
}

static k42_result global_wake(struct futex_table *self, const struct wait_point *point,
                              unsigned count) {
    (void)self;
    return wait_table_notify(&futexes_of_all, point, count);
}

static k42_result global_requeue(struct futex_table *self, const struct wait_requeue *how) {
    (void)self;
    return wait_table_requeue(how, &futexes_of_all, &futexes_of_all);
}

static k42_result global_describe(struct k42_object *object, char *text, size_t size) {
    struct global *global = k42_container(object, struct global, rep);
    return k42_format_text(text, size, "futexes of space %u, among those of all", global->space);
}

static k42_result global_init(struct k42_root *root, const void *args) {
    global_of(root)->space = args ? *(const k42_id *)args : 0;
    return 0;
}

static k42_result global_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[FUTEX_TABLE_SPACE] = global_of(from)->space;
    state->word[FUTEX_TABLE_BUCKETS] = (uintptr_t)futexes_of_all.buckets;
    state->word[FUTEX_TABLE_SHIFT] = futexes_of_all.shift;
    return 0;
}

static k42_result global_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct wait_table from = {(struct wait_bucket *)state->word[FUTEX_TABLE_BUCKETS],
                              (unsigned)state->word[FUTEX_TABLE_SHIFT]};
    (void)part;
    global_of(to)->space = (k42_id)state->word[FUTEX_TABLE_SPACE];
    wait_table_move(&from, &futexes_of_all, global_of(to)->space);
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
