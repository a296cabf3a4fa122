/*
 * HAT, in tables: one tree of the processor's page tables for an address space, and nothing beside
 * it. The tables are the record of private pages; a fork shares their last level.
 *
 * Locking, sharing and what an entry means: tables.h. This file makes and ends one, and hands its
 * state over.
 *
 * Formats: HAT_TABLES, the canonical one: struct hat_tables by pointer, which is all of the state,
 *          since the processor dictates what it looks like.
 * Fails:   -ENOMEM and -K42_WAIT from the PM, before anything is changed.
 */
#include "runtime.h"
#include "tables.h"

/* Of the root, and of leaves that were flushed away. */
static void frames_give(void *context, uint64_t physical) {
    frame_at(physical)->holds = 0;
    table_give(context, physical);
}

struct hat_new {
    pm_ref pm;
};

static k42_result object_init(struct k42_root *root, const void *args) {
    const struct hat_new *new = args;
    if (!new)
        return 0;
    struct hat_tables *tables = heap_allocate_zeroed(sizeof(*tables));
    struct user_table *table = heap_allocate_zeroed(user_table_size());
    if (!tables || !table) {
        heap_free(tables);
        heap_free(table);
        return -ENOMEM;
    }
    tables->pm = new->pm;
    tables->table = table;
    struct user_frames frames = {.give = frames_give, .context = tables};
    struct k42_pair taken = table_take(tables, 0);
    if (taken.result < 0) {
        heap_free(tables);
        heap_free(table);
        return taken.result;
    }
    user_table_open(table, &frames, taken.word);
    tables->table_frames = 0;
    return body_init(root, tables);
}

/* Tables of levels 3 and 2, in which nothing is any more. */
static void tables_below_end(struct user_flush *flush, uint64_t *entries, unsigned level) {
    unsigned end = level == USER_LEVELS ? 256 : 512;
    for (unsigned n = 0; (n = table_next(entries, n, end)) < end; n++) {
        uint64_t below = user_entry_frame(user_entry_exchange(&entries[n], 0));
        if (level > 3)
            tables_below_end(flush, machine_memory(below), level - 1);
        user_flush_frame(flush, below);
    }
}

static void tables_end(struct hat *self) {
    struct hat_tables *tables = tables_of(self);
    struct user_flush flush;
    k42_result released = tables_release(self, 0, USER_END);
    (void)released; /* whole slots need nothing and cannot fail */
    user_flush_begin(&flush, tables->table);
    tables_below_end(&flush, machine_memory(tables->table->root), USER_LEVELS);
    user_flush_range(&flush, 0, USER_END, 1);
    user_flush_finish(&flush);
    user_table_close(tables->table);
    heap_free(tables->table);
    heap_free(tables);
}

/* Runs on the reclaimer, inactive; giving frames back is a call. */
static void object_fini(struct k42_root *root) {
    struct body_object *object = k42_container(root, struct body_object, root);
    if (!object->body)
        return;
    k42_enter();
    tables_end((struct hat *)(void *)&object->rep);
    k42_exit();
}

static k42_result object_describe(struct k42_object *self, char *text, size_t size) {
    struct hat_usage usage;
    k42_result result = tables_usage((struct hat *)(void *)self, &usage);
    if (result < 0)
        return result;
    return (k42_result)k42_format_text(text, size,
                                       "page tables: %lu pages mapped by %lu frames of tables",
                                       usage.mapped, usage.tables);
}

/* A program runs there only after share() has returned. */
static k42_result object_table(struct hat *self, struct user_table **table) {
    struct hat_tables *tables = tables_of(self);
    if (__atomic_load_n(&tables->inherits, __ATOMIC_RELAXED))
        __atomic_store_n(&tables->inherits, false, __ATOMIC_RELEASE);
    *table = tables->table;
    return 0;
}

/* ---- state ---- */

static const struct k42_format tables_format = {"HAT_TABLES", 1, 1};
static const struct k42_transfer object_transfers[] = BODY_TRANSFERS(tables_format);

static const struct hat_ops object_ops = {
    .object.describe = object_describe,
    .unmap = tables_unmap,
    .protect = tables_protect,
    .map = tables_map,
    .map_around = tables_map_around,
    .grant = tables_grant,
    .copy = tables_copy,
    .release = tables_release,
    .allow = tables_allow,
    .move = tables_move,
    .share = tables_share,
    .places = tables_places,
    .look = tables_look,
    .survey = tables_survey,
    .forget_used = tables_forget_used,
    .peek = tables_peek,
    .poke = tables_poke,
    .table = object_table,
    .usage = tables_usage,
    .census = tables_census,
    .page_out = tables_page_out,
    .bring = tables_bring,
    .next_out = tables_next_out,
};

K42_CLASS(hat_tables) = {
    .name = "hat.tables",
    .interface = &hat_interface,
    .version = 1,
    .traits = "private=tables",
    BODY_OBJECT,
    .ops = &object_ops,
    .init = object_init,
    .fini = object_fini,
    .transfers = object_transfers,
};

k42_result hat_create(k42_ref pm, hat_ref *hat) {
    struct hat_new new = {(pm_ref)pm};
    k42_ref ref = K42_NULL_REF;
    k42_result result = k42_make(&hat_tables, &new, &ref);
    *hat = (hat_ref)ref;
    return result;
}
