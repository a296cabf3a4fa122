/*
 * Address space, indexed: regions in a tree that is read without a lock (index.h).
 *
 * A fault costs a walk of the tree and a call of the region. Two faults share nothing that either
 * writes, unless they are for the same 2 MiB.
 *
 * Locking: none; see state.h for how changes exclude each other.
 * Formats: SPACE_STATE, the canonical one: struct space_state by pointer. Regions, HAT and PM are
 *          objects of their own and stay what they are.
 * Fails:   -ENOMEM, before anything has changed unless a method says otherwise.
 */
#include "runtime.h"
#include "state.h"

/* ---- changes exclude each other ---- */

/*
 * The flag is put down before waiters are told, with a barrier between: whoever finds it up is in
 * the table of waiters before he looks again.
 */
k42_result change_begin(struct space *self) {
    uint32_t idle = 0;
    if (__atomic_compare_exchange_n(&space_state(self)->changing, &idle, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(space_id(self), KEY_LAYOUT, WAIT_WRITE);
}

void change_end(struct space *self) {
    __atomic_exchange_n(&space_state(self)->changing, 0, __ATOMIC_SEQ_CST);
    wait_notify(space_id(self), KEY_LAYOUT, WAIT_WRITE, WAIT_ALL);
}

/* ---- faults ---- */

/* A stack's region grows down to an address below it. Errors: -EFAULT, it may not. */
static k42_result stack_grow(struct space_state *state, uintptr_t address) {
    uintptr_t page = address & ~(PAGE_BYTES - 1);
    const struct space_entry *found = index_find(&state->index, address);
    if (!found || !(found->flags & SPACE_GROWS_DOWN))
        return -EFAULT;
    if (found->start <= page)
        return 0;
    struct space_entry entry = *found;
    struct space_mapping mapping;
    k42_result result = k42_call(entry.region, mapping, &mapping);
    if (result < 0)
        return result;
    size_t most = mapping.limit ? mapping.limit : state->limits.stack;
    const struct space_entry *below = index_before(&state->index, entry.start);
    uintptr_t free_from = below ? below->end + STACK_GAP * PAGE_BYTES : LOWEST;
    size_t pages = (entry.start - page) / PAGE_BYTES;
    if (entry.end - page > most || page < free_from || limits_allow(state, pages, true) < 0 ||
        locks_allow(state, mapping.flags, pages) < 0)
        return -EFAULT;
    result = index_stock(&state->index, 1);
    if (result >= 0)
        result = k42_call(entry.region, resize, page, entry.end, REGION_LEAVE);
    if (result < 0)
        return result;
    uintptr_t key = entry.start;
    entry.start = page;
    index_change(&state->index, key, true, &entry, 1);
    account(state, &mapping, (long)pages);
    return 0;
}

/* -K42_STALE is a region that has just been replaced: the access is made again. */
k42_result space_fault(struct space *self, uintptr_t address, unsigned access) {
    struct space_state *state = space_state(self);
    const struct space_entry *entry = index_find(&state->index, address);
    if (!entry || address >= USER_END)
        return -EFAULT;
    k42_result result;
    if (address < entry->start) {
        if (!(entry->flags & SPACE_GROWS_DOWN))
            return -EFAULT;
        result = change_begin(self);
        if (result < 0)
            return result;
        result = stack_grow(state, address);
        change_end(self);
        return result;
    }
    result = k42_call(entry->region, fault, address, access);
    return result == -K42_RETRY || result == -K42_STALE ? 0 : result;
}

/* ---- the object ---- */

static k42_result indexed_table(struct space *self, struct user_table **table) {
    return k42_call(space_state(self)->hat, table, table);
}

static k42_result indexed_limit(struct space *self, const struct space_limits *limits) {
    space_state(self)->limits = *limits;
    return 0;
}

static k42_result indexed_mark(struct space *self, const struct space_marks *marks) {
    space_state(self)->marks = *marks;
    return 0;
}

static k42_result indexed_marks(struct space *self, struct space_marks *marks) {
    *marks = space_state(self)->marks;
    return 0;
}

static k42_result indexed_describe(struct k42_object *self, char *text, size_t size) {
    struct space_state *state = space_state((struct space *)(void *)self);
    return (k42_result)k42_format_text(text, size, "address space of %lu regions, %lu pages",
                                       state->index.count, state->pages);
}

static void entries_end(const struct space_state *state) {
    const struct space_entry *entry;
    for (uintptr_t at = 0; (entry = index_find(&state->index, at)); at = entry->end) {
        k42_result result = k42_call(entry->region, close, REGION_LEAVE);
        result = k42_destroy((k42_ref)entry->region);
        (void)result;
    }
}

/* Pages go first and at once, so FCMs are not asked to look for them. */
static void state_end(struct space_state *state) {
    k42_result result = k42_call(state->hat, release, 0, USER_END);
    entries_end(state);
    result = k42_destroy((k42_ref)state->hat);
    (void)result;
    index_free(&state->index);
    heap_free(state);
}

static void indexed_fini(struct k42_root *root) {
    struct space_state *state = body_of_root(root);
    if (!state)
        return;
    k42_enter();
    state_end(state);
    k42_exit();
}

/* ---- state ---- */

static const struct k42_format space_format = {"SPACE_STATE", 2, 2};
static const struct k42_transfer indexed_transfers[] = BODY_TRANSFERS(space_format);

static const struct space_ops indexed_ops = {
    .object.describe = indexed_describe,
    .map = space_map,
    .unmap = space_unmap,
    .protect = space_protect,
    .resize = space_resize,
    .advise = space_advise,
    .sync = space_sync,
    .fault = space_fault,
    .fork = space_fork,
    .table = indexed_table,
    .find = space_find,
    .resident = space_resident,
    .forget_used = space_forget_used,
    .identify = space_identify,
    .peek = space_peek,
    .poke = space_poke,
    .mark = indexed_mark,
    .marks = indexed_marks,
    .set_break = space_set_break,
    .limit = indexed_limit,
    .usage = space_usage,
    .census = space_census,
    .set_flags = space_set_flags,
    .rename = space_rename,
    .lock = space_lock,
    .lock_all = space_lock_all,
    .page_out = space_page_out,
    .watch = space_watch,
    .provide = space_provide,
};

K42_CLASS(space_indexed) = {
    .name = "space.indexed",
    .interface = &space_interface,
    .version = 1,
    .traits = "lookup=lockless",
    BODY_LAYOUT,
    .ops = &indexed_ops,
    .fini = indexed_fini,
    .transfers = indexed_transfers,
};

k42_result space_create(k42_ref pm, space_ref *space) {
    struct space_state *state = heap_allocate_zeroed(sizeof(*state));
    if (!state)
        return -ENOMEM;
    state->pm = pm;
    state->most_locked = ~0ul;
    state->limits = (struct space_limits){~0ul, ~0ul, 8ul << 20, ~0ul, DEFAULT_TOP};
    k42_ref ref = K42_NULL_REF;
    k42_result result = hat_create(pm, &state->hat);
    if (result >= 0) {
        result = k42_make(&space_indexed, state, &ref);
        if (result < 0 && k42_destroy((k42_ref)state->hat) < 0)
            result = -ENOMEM;
    }
    if (result < 0)
        heap_free(state);
    *space = (space_ref)ref;
    return result;
}
