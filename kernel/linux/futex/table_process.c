/*
 * Futexes of an address space in buckets of its own: whatever its threads do to each other, no
 * other process has a lock or a cache line of it, nor passes its waiters by.
 *
 * State: the buckets, made with the object, and which address space. Words that several address
 * spaces share stand among the futexes of all; requeueing may lead from one to the other.
 *
 * The buckets of an object that was replaced are freed a grace period later, when nobody can look
 * any more where an entry stood that has been moved.
 *
 * Locking: the buckets'. Format: futex_table.waiters, and by pointer futex_table.buckets. Fails:
 * -ENOMEM when it is made.
 */
#include "futex_table.h"

#include "futexes_of_all.h"
#include "runtime.h"

#include <errno.h>

#define BITS 5u /* 32 buckets, of a line each */

struct process {
    struct k42_root root;
    struct futex_table rep;
    k42_id space;
    struct wait_table table;
    void *memory; /* that the buckets lie in, at a line's beginning */
};

const struct k42_format futex_table_waiters = {"futex_table.waiters", 1, 10};
static const struct k42_format buckets_format = {"futex_table.buckets", 1, 1};

static struct process *process_of(struct k42_root *root) {
    return k42_container(root, struct process, root);
}

static struct process *process_of_self(struct futex_table *self) {
    return k42_container(self, struct process, rep);
}

static k42_result process_add(struct futex_table *self, struct wait_set *set,
                              struct wait_entry *entry, const struct wait_point *point) {
    wait_table_add_once(&process_of_self(self)->table, set, entry, *point);
    return 0;
}

static k42_result process_wake(struct futex_table *self, const struct wait_point *point,
                               unsigned count) {
    return wait_table_notify(&process_of_self(self)->table, point, count);
}

static k42_result process_requeue(struct futex_table *self, const struct wait_requeue *how) {
    struct process *process = process_of_self(self);
    return wait_table_requeue(how,
                              how->from.id == process->space ? &process->table : &futexes_of_all,
                              how->to.id == process->space ? &process->table : &futexes_of_all);
}

static k42_result process_describe(struct k42_object *object, char *text, size_t size) {
    struct process *process = k42_container(object, struct process, rep);
    return k42_format_text(text, size, "futexes of space %u, in %u buckets", process->space,
                           1u << BITS);
}

static k42_result process_init(struct k42_root *root, const void *args) {
    struct process *process = process_of(root);
    process->memory = k42_platform_alloc(sizeof(struct wait_bucket) * ((1u << BITS) + 1));
    if (!process->memory)
        return -ENOMEM;
    uintptr_t at = (uintptr_t)process->memory;
    at += -at % sizeof(struct wait_bucket);
    process->table = (struct wait_table){(struct wait_bucket *)at, 64 - BITS};
    process->space = args ? *(const k42_id *)args : 0;
    return 0;
}

static void process_fini(struct k42_root *root) {
    k42_platform_free(process_of(root)->memory);
}

/* ---- state ---- */

static k42_result export_waiters(struct k42_root *from, struct k42_state *state, unsigned part) {
    const struct process *process = process_of(from);
    (void)part;
    state->word[FUTEX_TABLE_SPACE] = process->space;
    state->word[FUTEX_TABLE_BUCKETS] = (uintptr_t)process->table.buckets;
    state->word[FUTEX_TABLE_SHIFT] = process->table.shift;
    return 0;
}

static k42_result import_waiters(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct process *process = process_of(to);
    struct wait_table from = {(struct wait_bucket *)state->word[FUTEX_TABLE_BUCKETS],
                              (unsigned)state->word[FUTEX_TABLE_SHIFT]};
    (void)part;
    process->space = (k42_id)state->word[FUTEX_TABLE_SPACE];
    wait_table_move(&from, &process->table, process->space);
    return 0;
}

static k42_result export_buckets(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)process_of(from);
    return 0;
}

/* The old object gets the new one's buckets, which nobody has used, to free. */
static k42_result import_buckets(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct process *own = process_of(to), *old = (struct process *)state->word[0];
    struct wait_table table = own->table;
    void *memory = own->memory;
    (void)part;
    own->space = old->space;
    own->table = old->table;
    own->memory = old->memory;
    old->table = table;
    old->memory = memory;
    return 0;
}

static const struct futex_table_ops process_ops = {
    .object.describe = process_describe,
    .add = process_add,
    .wake = process_wake,
    .requeue = process_requeue,
};

static const struct k42_transfer process_transfers[] = {
    {.format = &buckets_format, .export_state = export_buckets, .import_state = import_buckets},
    {.format = &futex_table_waiters,
     .export_state = export_waiters,
     .import_state = import_waiters},
    {0},
};

K42_CLASS(futex_table_process) = {
    .name = "futex_table.process",
    .interface = &futex_table_interface,
    .version = 1,
    .traits = "waiters=many",
    .kind = &k42_single,
    .root_size = sizeof(struct process),
    .rep_offset = offsetof(struct process, rep),
    .ops = &process_ops,
    .init = process_init,
    .fini = process_fini,
    .transfers = process_transfers,
};

k42_result futex_table_make(k42_id space, bool unused, k42_ref *made) {
    return k42_make(unused ? &futex_table_process : &futex_table_global, &space, made);
}
