/*
 * Transfer of state between tables of any two classes. See table_body.h and the formats in table.h.
 *
 * Parts run in parallel, one shard each; two parts share nothing but the words of the state, which
 * every part's export sets to the same values, and an arena's count of holders. Measuring happens
 * while calls continue, so more may come than was measured: a quarter is added, and an importer
 * that runs out all the same says -ENOSPC and is prepared anew.
 */
#include "table_body.h"

#include <errno.h>

void table_body_init(struct table_body *body, const struct table_layout *layout) {
    body->layout = layout;
    body->owns = 1;
}

static k42_result free_entry(void *context, struct kv_entry *entry) {
    (void)context;
    kv_entry_free(entry);
    return 0;
}

/* Forgets all entries, freeing those that are the table's own. Nobody can be inside. */
static void forget_entries(struct table_body *body) {
    for (unsigned shard = 0; body->owns && shard < KV_SHARDS; shard++)
        (void)body->layout->each(body, shard, free_entry, NULL);
    if (body->arena)
        kv_arena_drop(body->arena, 1);
    body->arena = NULL;
}

void table_body_fini(struct table_body *body) {
    forget_entries(body);
    body->layout->discard(body);
}

static struct table_body *body_of(struct k42_root *root) {
    return k42_container(root, struct table_body, root);
}

static size_t with_slack(size_t measured, size_t least) {
    return measured + measured / 4 + least;
}

/* ---- by pointer ---- */

static size_t measure_entries(struct k42_root *from) {
    size_t most = 0;
    for (unsigned shard = 0; shard < KV_SHARDS; shard++) {
        size_t entries, bytes;
        body_of(from)->layout->measure(body_of(from), shard, &entries, &bytes);
        most = entries > most ? entries : most;
    }
    return most;
}

static k42_result prepare_entries(struct k42_root *to, struct k42_state *state) {
    struct table_body *body = body_of(to);
    forget_entries(body);
    body->owns = 0;
    state->parts = KV_SHARDS;
    state->word[TABLE_OWNS] = (uintptr_t)&body->owns;
    return body->layout->reserve(body, with_slack(state->measured, 256));
}

static k42_result each_entry(struct k42_root *from, unsigned part, table_take_fn take,
                             void *context) {
    return body_of(from)->layout->each(body_of(from), part, take, context);
}

static k42_result export_entries(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    __atomic_store_n(&state->word[TABLE_EACH], (uintptr_t)each_entry, __ATOMIC_RELAXED);
    __atomic_store_n(&state->word[TABLE_LINK], table_link(body_of(from)), __ATOMIC_RELAXED);
    return 0;
}

static k42_result take_entry(void *context, struct kv_entry *entry) {
    struct table_body *body = context;
    return body->layout->import(body, entry);
}

static k42_result import_entries(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct table_body *body = body_of(to);
    table_each_fn each = (table_each_fn)__atomic_load_n(&state->word[TABLE_EACH], __ATOMIC_RELAXED);
    unsigned theirs = (unsigned)__atomic_load_n(&state->word[TABLE_LINK], __ATOMIC_RELAXED);
    __atomic_store_n(&body->link, 1 - theirs, __ATOMIC_RELAXED);
    return each(state->from, part, take_entry, body);
}

static void entries_handed_over(struct k42_root *from, struct k42_state *state) {
    body_of(from)->owns = 0;
    *(int *)state->word[TABLE_OWNS] = 1;
    /* Entries copied into an arena keep it by themselves; `from` lets go of it when it ends. */
}

/* ---- by value ---- */

static size_t measure_records(struct k42_root *from) {
    size_t most = 0;
    for (unsigned shard = 0; shard < KV_SHARDS; shard++) {
        size_t entries, bytes;
        body_of(from)->layout->measure(body_of(from), shard, &entries, &bytes);
        most = bytes > most ? bytes : most;
    }
    return most;
}

static k42_result prepare_records(struct k42_root *to, struct k42_state *state) {
    struct table_body *body = body_of(to);
    size_t bytes = with_slack(state->measured, 65536);
    forget_entries(body);
    body->owns = 1;
    body->arena = kv_arena_make(bytes);
    if (!body->arena)
        return -ENOMEM;
    state->parts = KV_SHARDS;
    state->word[TABLE_ARENA] = (uintptr_t)body->arena;
    return body->layout->reserve(body, bytes / sizeof(struct kv_entry));
}

struct copying {
    struct kv_arena *arena;
    unsigned shard;
};

static k42_result copy_entry(void *context, struct kv_entry *entry) {
    struct copying *copying = context;
    kv_arena_add(copying->arena, copying->shard, entry);
    return 0;
}

static k42_result export_records(struct k42_root *from, struct k42_state *state, unsigned part) {
    struct kv_arena *arena = (struct kv_arena *)state->word[TABLE_ARENA];
    struct copying copying = {arena, part};
    arena->used[part] = 0;
    arena->outgrown[part] = 0;
    return body_of(from)->layout->each(body_of(from), part, copy_entry, &copying);
}

static k42_result import_records(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct table_body *body = body_of(to);
    struct kv_arena *arena = (struct kv_arena *)state->word[TABLE_ARENA];
    char *bytes = arena->bytes + part * arena->room;
    if (arena->outgrown[part])
        return -ENOSPC;
    for (size_t at = 0; at < arena->used[part];) {
        struct kv_entry *entry = (struct kv_entry *)(void *)(bytes + at);
        k42_result result = body->layout->import(body, entry);
        if (result < 0)
            return result;
        __atomic_add_fetch(&arena->holders, 1, __ATOMIC_RELAXED);
        at += kv_arena_size(entry);
    }
    return 0;
}

const struct k42_transfer table_body_transfers[] = {
    {
        .format = &table_entries_format,
        .measure = measure_entries,
        .prepare = prepare_entries,
        .export_state = export_entries,
        .import_state = import_entries,
        .handed_over = entries_handed_over,
    },
    {
        .format = &table_records_format,
        .measure = measure_records,
        .prepare = prepare_records,
        .export_state = export_records,
        .import_state = import_records,
    },
    {0},
};
