/*
 * What all regions do alike: being looked at, changed, divided, inherited and ended.
 *
 * Who changes is alone (region.h), so there is no lock. A change that fails puts everything back
 * before it ends, and faults that came meanwhile are made again.
 *
 * Attachments. An FCM knows where its pages may be mapped, and asks there in the order in which it
 * was told. So a new attachment is made before the old one ends, and a child's before it gets any
 * pages: whatever page is taken away meanwhile, it is asked for wherever it may have gone.
 */
#include "body.h"

#include "../../fs/file.h"
#include "runtime.h"

static bool is_object(k42_ref ref) {
    return ref != K42_NULL_REF;
}

static enum fcm_stays stays_of(unsigned flags) {
    return !(flags & SPACE_LOCKED) ? 0 : flags & SPACE_ON_FAULT ? FCM_MAPPED_STAY : FCM_ALL_STAY;
}

static struct fcm_attachment attachment_of(const struct region_new *state) {
    bool writable = state->flags & SPACE_SHARED && state->most & SPACE_WRITE;
    return (struct fcm_attachment){.hat = state->hat,
                                   .address = state->start,
                                   .first = state->first,
                                   .pages = (state->end - state->start) / PAGE_BYTES,
                                   .writable = writable,
                                   .stays = stays_of(state->flags)};
}

/* A watcher stays as long as mappings name it, closed or not. */
static k42_result watcher_tell(k42_ref watcher, unsigned more) {
    return is_object(watcher) ? k42_call((file_ref)watcher, control, FILE_WATCHED, more) : 0;
}

static k42_result file_hold(k42_ref file) {
    return is_object(file) ? k42_call((file_ref)file, hold) : 0;
}

static void file_let_go(k42_ref file) {
    if (is_object(file))
        (void)!k42_call((file_ref)file, release);
}

static k42_result region_attach(const struct region_new *state) {
    if (!is_object(state->fcm))
        return 0;
    struct fcm_attachment attachment = attachment_of(state);
    return k42_call((fcm_ref)state->fcm, attach, &attachment);
}

/* How many attachments the object has left. An FCM that is gone has forgotten it. */
static k42_result region_detach(const struct region_new *state) {
    if (!is_object(state->fcm))
        return -K42_STALE;
    struct fcm_attachment attachment = attachment_of(state);
    return k42_call((fcm_ref)state->fcm, detach, &attachment);
}

/* ---- reading ---- */

static bool permits(unsigned protection, unsigned access) {
    switch (access & SPACE_ACCESS_KINDS) {
    case SPACE_ACCESS_WRITE:
        return protection & SPACE_WRITE;
    case SPACE_ACCESS_EXECUTE:
        return protection & SPACE_EXECUTE;
    default:
        return protection & (SPACE_READ | SPACE_WRITE | SPACE_EXECUTE);
    }
}

k42_result region_look(struct region_body *body, uintptr_t address, unsigned access,
                       struct region_view *view) {
    const struct region_new *state = &body->state;
    uint32_t lease = __atomic_load_n(&body->lease, __ATOMIC_ACQUIRE);
    view->page = address & ~(PAGE_BYTES - 1);
    view->lease = (struct hat_lease){&body->lease, lease};
    view->start = __atomic_load_n(&state->start, __ATOMIC_RELAXED);
    view->end = __atomic_load_n(&state->end, __ATOMIC_RELAXED);
    view->protection = __atomic_load_n(&state->protection, __ATOMIC_RELAXED);
    view->flags = __atomic_load_n(&state->flags, __ATOMIC_RELAXED);
    view->index =
        __atomic_load_n(&state->first, __ATOMIC_RELAXED) + (view->page - view->start) / PAGE_BYTES;
    view->hat = (hat_ref)state->hat;
    view->pm = (pm_ref)state->pm;
    view->fcm = (fcm_ref)state->fcm;
    view->watcher = __atomic_load_n(&state->watcher, __ATOMIC_RELAXED);
    view->address = address;
    view->access = access;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (lease & 1 || __atomic_load_n(&body->lease, __ATOMIC_RELAXED) != lease)
        return -K42_RETRY;
    /* The index led here: before these addresses became another region's, which has them now, or
     * just before it loses them. To look again finds which. */
    if (view->page < view->start || view->page >= view->end)
        return -K42_RETRY;
    if (access & SPACE_ACCESS_FORCE && !(view->flags & SPACE_SHARED))
        return 0;
    return permits(view->protection, access) ? 0 : -EACCES;
}

k42_result region_describe(struct k42_object *self, char *text, size_t size) {
    struct region_body *body = region_body((struct region *)(void *)self);
    return (k42_result)k42_format_text(text, size, "%s %lx-%lx protection %u flags %x",
                                       body->root.class_->name, body->state.start, body->state.end,
                                       body->state.protection, body->state.flags);
}

k42_result region_mapping(struct region *self, struct space_mapping *mapping) {
    const struct region_new *state = &region_body(self)->state;
    *mapping = (struct space_mapping){.start = state->start,
                                      .end = state->end,
                                      .protection = state->protection,
                                      .flags = state->flags,
                                      .most = state->most,
                                      .first = state->first,
                                      .fcm = state->fcm,
                                      .file = state->file,
                                      .watcher = state->watcher,
                                      .name = __atomic_load_n(&state->name, __ATOMIC_ACQUIRE),
                                      .limit = state->limit};
    return 0;
}

/* ---- changing ---- */

static void region_set_watcher(struct region_body *body, k42_ref watcher) {
    unsigned flags = body->state.flags & ~(unsigned)SPACE_WATCHED;
    __atomic_store_n(&body->state.watcher, watcher, __ATOMIC_RELAXED);
    __atomic_store_n(&body->state.flags, flags | (is_object(watcher) ? SPACE_WATCHED : 0),
                     __ATOMIC_RELAXED);
}

/* The store is a full barrier: see hat.h on leases. */
void region_change_begin(struct region_body *body) {
    __atomic_add_fetch(&body->lease, 1, __ATOMIC_SEQ_CST);
}

void region_change_end(struct region_body *body) {
    __atomic_add_fetch(&body->lease, 1, __ATOMIC_SEQ_CST);
}

static void region_set_range(struct region_body *body, uintptr_t start, uintptr_t end,
                             uint64_t first) {
    __atomic_store_n(&body->state.start, start, __ATOMIC_RELAXED);
    __atomic_store_n(&body->state.end, end, __ATOMIC_RELAXED);
    __atomic_store_n(&body->state.first, first, __ATOMIC_RELAXED);
}

static k42_result release_outside(const struct region_new *old, uintptr_t start, uintptr_t end) {
    k42_result result = 0;
    if (old->start < start)
        result = k42_call((hat_ref)old->hat, release, old->start, start - old->start);
    if (result >= 0 && end < old->end)
        result = k42_call((hat_ref)old->hat, release, end, old->end - end);
    return result < 0 ? result : 0;
}

k42_result region_resize(struct region *self, uintptr_t start, uintptr_t end,
                         enum region_end what) {
    struct region_body *body = region_body(self);
    struct region_new old = body->state, new = old;
    new.start = start;
    new.end = end;
    new.first += (start - old.start) / PAGE_BYTES; /* a start below the old one wraps back */
    if (start < old.start)
        new.first = old.first - (old.start - start) / PAGE_BYTES;
    k42_result result = region_attach(&new);
    if (result < 0)
        return result;
    region_change_begin(body);
    region_set_range(body, start, end, new.first);
    if (what == REGION_RELEASE)
        result = release_outside(&old, start, end);
    if (result < 0)
        region_set_range(body, old.start, old.end, old.first);
    region_change_end(body);
    region_detach(result < 0 ? &new : &old);
    return result;
}

/* Its watcher knows it by its addresses: elsewhere it has none. */
k42_result region_move(struct region *self, uintptr_t to) {
    struct region_body *body = region_body(self);
    struct region_new old = body->state, new = old;
    new.start = to;
    new.end = to + (old.end - old.start);
    k42_result result = region_attach(&new);
    if (result < 0)
        return result;
    region_change_begin(body);
    result = k42_call((hat_ref)old.hat, move, old.start, to, old.end - old.start);
    if (result >= 0) {
        region_set_range(body, new.start, new.end, new.first);
        region_set_watcher(body, K42_NULL_REF);
    }
    region_change_end(body);
    if (result >= 0)
        (void)!watcher_tell(old.watcher, 0);
    region_detach(result < 0 ? &new : &old);
    return result < 0 ? result : 0;
}

k42_result region_protect(struct region *self, unsigned protection) {
    struct region_body *body = region_body(self);
    struct region_new *state = &body->state;
    unsigned old = state->protection;
    region_change_begin(body);
    __atomic_store_n(&state->protection, protection, __ATOMIC_RELAXED);
    k42_result result =
        k42_call((hat_ref)state->hat, allow, state->start, state->end - state->start, protection);
    if (result < 0) /* what has been allowed less already is allowed again at its next fault */
        __atomic_store_n(&state->protection, old, __ATOMIC_RELAXED);
    region_change_end(body);
    return result;
}

/* Pages of an object that are mapped may be leaving. So those that are to stay from now on are
 * mapped anew: the FCM gives none that is. */
static k42_result flags_change_locked(struct region_body *body, unsigned flags) {
    struct region_new old = body->state, new = old;
    new.flags = flags;
    k42_result result = region_attach(&new);
    if (result < 0)
        return result;
    region_change_begin(body);
    __atomic_store_n(&body->state.flags, flags, __ATOMIC_RELAXED);
    if (flags & SPACE_LOCKED && is_object(old.fcm))
        result = k42_call((hat_ref)old.hat, unmap, old.start, old.end - old.start);
    if (result < 0)
        __atomic_store_n(&body->state.flags, old.flags, __ATOMIC_RELAXED);
    region_change_end(body);
    region_detach(result < 0 ? &new : &old);
    return result < 0 ? result : 0;
}

k42_result region_set_flags(struct region *self, unsigned set, unsigned clear) {
    struct region_body *body = region_body(self);
    unsigned flags = (body->state.flags & ~clear) | set;
    if ((flags ^ body->state.flags) & SPACE_LOCKS)
        return flags_change_locked(body, flags);
    region_change_begin(body);
    __atomic_store_n(&body->state.flags, flags, __ATOMIC_RELAXED);
    region_change_end(body);
    return 0;
}

k42_result region_watch(struct region *self, k42_ref watcher) {
    struct region_body *body = region_body(self);
    k42_ref old = body->state.watcher;
    k42_result result = watcher_tell(watcher, 1);
    if (result < 0)
        return result;
    region_change_begin(body);
    region_set_watcher(body, watcher);
    region_change_end(body);
    (void)!watcher_tell(old, 0);
    return 0;
}

/* No fault asks for it, so the lease stays as it is. */
k42_result region_rename(struct region *self, k42_ref name) {
    struct region_body *body = region_body(self);
    k42_ref old = body->state.name;
    k42_result result = file_hold(name);
    if (result < 0)
        return result;
    __atomic_store_n(&body->state.name, name, __ATOMIC_RELEASE);
    file_let_go(old);
    return 0;
}

/* ---- coming and going ---- */

k42_result region_init(struct k42_root *root, const void *args) {
    struct region_body *body = k42_container(root, struct region_body, root);
    if (!args)
        return 0;
    body->state = *(const struct region_new *)args;
    k42_result result = region_attach(&body->state);
    if (result < 0)
        return result;
    result = file_hold(body->state.file);
    if (result >= 0) {
        result = file_hold(body->state.name);
        if (result < 0)
            file_let_go(body->state.file);
    }
    if (result < 0)
        region_detach(&body->state);
    return result < 0 ? result : watcher_tell(body->state.watcher, 1);
}

k42_result region_divide(struct region *self, uintptr_t at, k42_ref *upper) {
    struct region_body *body = region_body(self);
    struct region_new new = body->state;
    new.start = at;
    new.first += (at - body->state.start) / PAGE_BYTES;
    return k42_make(body->root.class_, &new, upper);
}

k42_result region_fork(struct region *self, const struct region_heir *heir, k42_ref *child) {
    struct region_body *body = region_body(self);
    struct region_new new = body->state;
    *child = K42_NULL_REF;
    if (new.flags & SPACE_NO_FORK)
        return 1;
    new.hat = heir->hat;
    new.pm = heir->pm;
    new.space = heir->space;
    new.flags &= ~(unsigned)(SPACE_LOCKS | SPACE_WATCHED);
    new.watcher = K42_NULL_REF;
    k42_result result = k42_make(body->root.class_, &new, child);
    return result < 0 ? result : (new.flags &SPACE_WIPE_FORK) != 0;
}

k42_result region_close(struct region *self, enum region_end what) {
    struct region_body *body = region_body(self);
    struct region_new old = body->state;
    region_change_begin(body);
    k42_result result = 0;
    if (what == REGION_RELEASE)
        result = k42_call((hat_ref)old.hat, release, old.start, old.end - old.start);
    if (result >= 0)
        region_set_range(body, old.start, old.start, old.first);
    region_change_end(body);
    if (result < 0)
        return result;
    /* Shared memory ends with the last region that is attached to it: a new one is only ever made
     * from one that is. */
    if (region_detach(&old) == 0 && old.flags & SPACE_ANONYMOUS)
        (void)!k42_destroy(old.fcm);
    file_let_go(old.file);
    file_let_go(old.name);
    (void)!watcher_tell(old.watcher, 0);
    return 0;
}

/* ---- state ---- */

size_t region_measure(struct k42_root *from) {
    (void)from;
    return sizeof(struct region_new);
}

k42_result region_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    struct region_body *body = k42_container(from, struct region_body, root);
    (void)part;
    state->word[0] = (uintptr_t)&body->state;
    return 0;
}

/* Attachments and the holds of the file and the name are the state's, whoever has it. */
k42_result region_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct region_body *body = k42_container(to, struct region_body, root);
    (void)part;
    body->state = *(const struct region_new *)state->word[0];
    return 0;
}
