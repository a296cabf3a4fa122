/*
 * Fork: a space with regions like these, whose HAT shares the tables of this one's.
 *
 * Regions are made before pages are shared, so that FCMs know of the child before it can have a
 * page of theirs (region/body.c). Faults of the parent's other threads go on meanwhile, but for
 * those that would make something the parent's alone while the HAT shares its tables
 * (hat/share.c): the child has what a thread wrote up to some moment. Two forks of one space take
 * turns.
 */
#include "state.h"

struct inheritance {
    struct region_heir heir;
    struct space_state *state; /* the child's */
    bool leftovers;            /* some addresses must not be inherited */
};

static k42_result entry_inherit(void *context, struct space_entry *entry) {
    struct inheritance *inheritance = context;
    struct space_mapping mapping;
    k42_ref child = K42_NULL_REF;
    k42_result result = k42_call(entry->region, fork, &inheritance->heir, &child);
    if (result < 0)
        return result;
    inheritance->leftovers |= result > 0;
    entry->flags &= ~(unsigned)SPACE_LOCKS;
    if (child == K42_NULL_REF) {
        result = k42_call(entry->region, mapping, &mapping);
        mapping.flags &= ~(unsigned)SPACE_LOCKS;
        if (result >= 0)
            account(inheritance->state, &mapping, -(long)pages_of(entry));
        return 1;
    }
    entry->region = (region_ref)child;
    return 0;
}

/* Takes away what the child must not have: where it has no region, or one that begins empty. */
static k42_result leftovers_release(const struct space_state *parent,
                                    const struct space_state *child) {
    const struct space_entry *entry;
    k42_result result = 0;
    for (uintptr_t at = 0; result >= 0 && (entry = index_find(&parent->index, at));
         at = entry->end) {
        const struct space_entry *own = index_find(&child->index, entry->start);
        struct space_mapping mapping;
        result = k42_call(entry->region, mapping, &mapping);
        if (result >= 0 && (!own || own->start != entry->start || mapping.flags & SPACE_WIPE_FORK))
            result = k42_call(child->hat, release, entry->start, entry->end - entry->start);
    }
    return result < 0 ? result : 0;
}

static struct space_state *state_inherit(const struct space_state *parent, k42_ref pm) {
    struct space_state *state = heap_allocate_zeroed(sizeof(*state));
    if (!state)
        return NULL;
    state->pm = pm;
    state->pages = parent->pages;
    state->data = parent->data;
    state->stack = parent->stack;
    state->executable = parent->executable;
    state->most_locked = parent->most_locked;
    state->limits = parent->limits;
    state->marks = parent->marks;
    return state;
}

/*
 * The child has an id before its regions are made, which name it, and is known to nobody until the
 * end. If it fails half-way, ending it ends what there is of it.
 */
static k42_result fork_into(struct space_state *parent, struct space_state *state, k42_ref child) {
    struct inheritance inheritance = {.heir = {(k42_ref)state->hat, state->pm, k42_ref_id(child)},
                                      .state = state};
    k42_result result = index_clone(&parent->index, &state->index, entry_inherit, &inheritance);
    if (result >= 0)
        result = k42_call(parent->hat, share, (k42_ref)state->hat);
    if (result >= 0 && inheritance.leftovers)
        result = leftovers_release(parent, state);
    return result;
}

static k42_result fork_changing(struct space *self, k42_ref pm, k42_ref *child) {
    struct space_state *parent = space_state(self);
    struct space_state *state = state_inherit(parent, pm);
    if (!state)
        return -ENOMEM;
    k42_result result = hat_create(pm, &state->hat);
    if (result >= 0) {
        result = k42_make(k42_root_class(BODY_ROOT(self)), state, child);
        if (result < 0 && k42_destroy((k42_ref)state->hat) < 0)
            result = -ENOMEM;
    }
    if (result < 0) {
        heap_free(state);
        return result;
    }
    result = fork_into(parent, state, *child);
    if (result < 0) {
        k42_result ended = k42_destroy(*child);
        (void)ended;
        *child = K42_NULL_REF;
    }
    return result;
}

k42_result space_fork(struct space *self, k42_ref pm, k42_ref *child) {
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    result = fork_changing(self, pm, child);
    change_end(self);
    return result;
}
