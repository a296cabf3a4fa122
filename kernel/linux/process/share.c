/*
 * What tasks share: memory, working directories, credentials, the file they run. Each is counted by
 * its users, with atomic operations and no lock; the last one frees it.
 */
#include "charge.h"
#include "lives.h"

#include "users.h"

#include "../../change.h"
#include "../../fs/file.h"
#include "../../fs/path.h"
#include "../../mem/heap/heap.h"
#include "../../mem/pm/pm.h"
#include "../../sched/wait.h"
#include "../core/core.h"
#include "../futex/futex_table.h"
#include "../ipc/segment.h"
#include "../segments.h"

#include <errno.h>
#include <k42/k42.h>
#include <linux/resource.h>

static void hold(uint32_t *references) {
    __atomic_fetch_add(references, 1, __ATOMIC_RELAXED);
}

/* True for the last one. */
static bool drop(uint32_t *references) {
    return __atomic_sub_fetch(references, 1, __ATOMIC_ACQ_REL) == 0;
}

static void ignore(k42_result result) {
    (void)result;
}

/* What others may be looking at and has no room for a deferred call: one of its own carries it. */
struct end {
    struct k42_defer defer;
    void *block;
};

static void end_now(struct k42_defer *defer) {
    struct end *end = k42_container(defer, struct end, defer);
    heap_free(end->block);
    heap_free(end);
}

/* Without memory for the deferred call the block stays, which is the lesser evil. */
static void free_later(void *block) {
    struct end *end = heap_allocate_zeroed(sizeof *end);
    if (!end)
        return;
    end->block = block;
    k42_defer(&end->defer, end_now);
}

/* ---- memory ---- */

struct task_memory *memory_make(space_ref space, uint64_t top, struct charge *charge) {
    struct task_memory *memory = heap_allocate_zeroed(sizeof *memory);
    if (!memory)
        return NULL;
    memory->references = 1;
    memory->space = space;
    memory->top = top;
    memory->charge = charge;
    memory->core_kinds = CORE_KINDS_AT_FIRST;
    if (k42_call(space, table, &memory->table) < 0) {
        heap_free(memory);
        return NULL;
    }
    memory->next_charge = charge_hold(&memory->charge);
    return memory;
}

void memory_unmake(struct task_memory *memory) {
    if (memory)
        charge_release(memory->next_charge);
    heap_free(memory);
}

struct task_memory *memory_hold(struct task_memory *memory) {
    hold(&memory->references);
    return memory;
}

/* Without memory for a table its futexes are in the table of all, as before. Of two that come at
 * once one keeps its own. Where other processes have the same memory somebody may wait already. */
void memory_shared(struct task_memory *memory) {
    k42_ref made, none = K42_NULL_REF;
    bool alone = __atomic_load_n(&memory->references, __ATOMIC_RELAXED) == 1;
    if (__atomic_load_n(&memory->futexes, __ATOMIC_RELAXED) ||
        futex_table_make(k42_id_of(memory->space), alone, &made) < 0)
        return;
    if (!__atomic_compare_exchange_n(&memory->futexes, &none, made, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        ignore(k42_destroy(made));
    else if (!alone)
        ignore(change_class(made, &futex_table_global, &futex_table_process, 0));
}

static void memory_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct task_memory, defer));
}

void memory_release(struct task_memory *memory) {
    if (!memory || !drop(&memory->references))
        return;
    if (__atomic_load_n(&memory->segments, __ATOMIC_RELAXED))
        segments_detach(memory->space);
    own_segments_end(memory);
    ignore(k42_destroy((k42_ref)memory->space));
    if (memory->futexes)
        ignore(k42_destroy(memory->futexes));
    charge_release(memory->charge);
    charge_release(memory->next_charge);
    k42_defer(&memory->defer, memory_free);
}

void memory_inherit(struct task_memory *memory, const struct task_memory *from) {
    memory->core_kinds = __atomic_load_n(&from->core_kinds, __ATOMIC_RELAXED);
    memory->small_pages = __atomic_load_n(&from->small_pages, __ATOMIC_RELAXED);
}

/* An attempt that meets a limit gives back what it has, waits for room, and begins anew. */
k42_result memory_copy(struct task_memory *from, struct task_memory **copy) {
    k42_ref space;
    struct charge *charge = charge_hold(&from->charge);
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              k42_call(from->space, fork, (k42_ref)charge_pm(charge), &space));
    if (result < 0) {
        charge_release(charge);
        return result;
    }
    *copy = memory_make((space_ref)space, from->top, charge);
    if (!*copy) {
        ignore(k42_destroy(space));
        charge_release(charge);
        return -ENOMEM;
    }
    (*copy)->segments = __atomic_load_n(&from->segments, __ATOMIC_RELAXED);
    memory_inherit(*copy, from);
    (*copy)->barriers = __atomic_load_n(&from->barriers, __ATOMIC_RELAXED);
    charge_release((*copy)->next_charge);
    (*copy)->next_charge = charge_hold(&from->next_charge);
    result = own_segments_copy(from, *copy);
    if (result < 0) {
        memory_release(*copy);
        *copy = NULL;
    }
    return result;
}

static uint64_t limit_of(process_ref process, unsigned resource) {
    struct process_limit limit;
    return k42_call(process, limit, resource, NULL, &limit, 0) < 0 ? ~0ul : limit.now;
}

void memory_limit(space_ref space, uint64_t top, process_ref process) {
    struct space_limits limits = {
        .size = limit_of(process, RLIMIT_AS),
        .data = limit_of(process, RLIMIT_DATA),
        .stack = limit_of(process, RLIMIT_STACK),
        .count = MEMORY_MAPPINGS_MOST,
        .top = top,
    };
    ignore(k42_call(space, limit, &limits));
}

/* ---- working directories ---- */

struct path_context *paths_hold(struct path_context *paths) {
    hold(&paths->references);
    return paths;
}

void paths_release(struct path_context *paths) {
    if (!paths || !drop(&paths->references))
        return;
    place_release(&paths->root);
    place_release(&paths->working);
    free_later(paths);
}

/* A place that another thread has just left may be gone; then the new one is asked for. */
static void hold_place(struct place (*read)(struct path_context *), struct path_context *from,
                       struct place *place) {
    do
        *place = read(from);
    while (place_hold(place) < 0);
}

struct path_context *paths_copy(struct path_context *from) {
    struct path_context *paths = heap_allocate_zeroed(sizeof *paths);
    if (!paths)
        return NULL;
    paths->references = 1;
    paths->mask = from->mask;
    hold_place(path_root, from, &paths->root);
    hold_place(path_working, from, &paths->working);
    return paths;
}

/* ---- credentials ---- */

struct credentials *credentials_make(uint32_t group_count) {
    struct credentials *credentials =
        heap_allocate_zeroed(sizeof *credentials + group_count * sizeof credentials->groups[0]);
    if (!credentials)
        return NULL;
    credentials->references = 1;
    credentials->group_count = group_count;
    return credentials;
}

struct credentials *credentials_hold(struct credentials *credentials) {
    hold(&credentials->references);
    return credentials;
}

void credentials_release(struct credentials *credentials) {
    if (credentials && drop(&credentials->references))
        free_later(credentials);
}

struct credentials *credentials_copy(const struct credentials *from) {
    struct credentials *copy = credentials_make(from->group_count);
    if (!copy)
        return NULL;
    __builtin_memcpy(copy, from, sizeof *copy + from->group_count * sizeof copy->groups[0]);
    copy->references = 1;
    return copy;
}

void credentials_set(struct credentials *credentials) {
    struct task *task = task_self();
    struct credentials *before = task->credentials;
    if (before && before->uid != credentials->uid &&
        user_add_thread(credentials->uid, UINT64_MAX) >= 0)
        user_remove_thread(before->uid);
    __atomic_store_n(&task->credentials, credentials, __ATOMIC_RELEASE);
    credentials_release(before);
}

/* ---- files ---- */

void executable_release(k42_ref file) {
    struct k42_pair node = k42_call((file_ref)file, node);
    if (node.result >= 0)
        ignore(k42_call((node_ref)node.word, unclaim, NODE_RUN));
    ignore(k42_call((file_ref)file, release));
}

struct file_held *file_held_make(k42_ref file) {
    struct file_held *held = heap_allocate_zeroed(sizeof *held);
    if (!held)
        return NULL;
    held->references = 1;
    held->file = file;
    return held;
}

struct file_held *file_held_hold(struct file_held *held) {
    if (held)
        hold(&held->references);
    return held;
}

static void file_held_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct file_held, defer));
}

void file_held_release(struct file_held *held) {
    if (!held || !drop(&held->references))
        return;
    executable_release(held->file);
    k42_defer(&held->defer, file_held_free);
}
