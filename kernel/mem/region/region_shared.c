/*
 * Region, shared: an object's pages themselves, which whoever maps the object sees.
 *
 * A page is mapped writable only when the FCM was asked for writing, so that it knows what changes.
 * Where a program may write there are no blocks of 2 MiB: each page comes to be written by itself.
 *
 * Fails: what the FCM says; -ENOMEM, -K42_WAIT from the HAT.
 */
#include "body.h"

#include "../frame/frame.h"

static k42_result to_write(const struct region_view *view) {
    struct fcm_page page;
    k42_result result = region_get_page(view, FCM_WRITE, &page);
    if (result < 0)
        return result;
    unsigned less = page.writable ? 0 : SPACE_WRITE;
    return region_map_page(view, &page, view->protection & ~less);
}

/* A fault that no processor has met, of a range that is populated: the block may be mapped by now.
 */
static k42_result is_mapped(const struct region_view *view, unsigned access) {
    unsigned wanted =
        (access & SPACE_ACCESS_KINDS) == SPACE_ACCESS_EXECUTE ? HAT_EXECUTE : HAT_READ;
    return k42_call(view->hat, grant, view->page, view->protection | wanted << HAT_WANTED,
                    &view->lease);
}

static k42_result to_read(const struct region_view *view, unsigned access) {
    struct fcm_page page;
    k42_result result = access & SPACE_ACCESS_ABSENT ? HAT_ABSENT : is_mapped(view, access);
    if (result <= 0)
        return result;
    result = view->protection & SPACE_WRITE ? region_get_page(view, 0, &page)
                                            : region_get_to_read(view, &page);
    return result < 0 ? result : region_map_to_read(view, &page);
}

/*
 * What is mapped at an address of the region is its object's page; should another one be there all
 * the same, one that the FCM has replaced since, or a block of which one page is to be written now,
 * it goes.
 */
static k42_result shared_fault(struct region *self, uintptr_t address, unsigned access) {
    struct region_view view;
    bool write = (access & SPACE_ACCESS_KINDS) == SPACE_ACCESS_WRITE;
    k42_result result = region_look(region_body(self), address, access, &view);
    if (result < 0)
        return result;
    result = write ? to_write(&view) : to_read(&view, access);
    if (result == -EEXIST) {
        result = k42_call(view.hat, unmap, view.page, PAGE_BYTES);
        return result < 0 ? result : -K42_RETRY;
    }
    return result < 0 ? result : 0;
}

/*
 * The page is made of a frame that holds the bytes already, so nobody sees it before they are
 * there. It is charged to the machine, as all of what is shared.
 */
static k42_result adopt(fcm_ref fcm, uint64_t index, uint64_t physical) {
    k42_result result = k42_call(fcm, expect, index);
    if (result < 0)
        return result == -ENXIO ? -EFAULT : result;
    frame_at(physical)->user[0] = k42_id_of(pm_machine);
    result = k42_call(fcm, adopt, index, physical);
    if (result < 0) {
        k42_result forgotten = k42_call(fcm, adopt, index, 0ul);
        (void)forgotten;
    }
    return result;
}

static k42_result shared_provide(struct region *self, uintptr_t address, struct copy *copy) {
    struct region_view view;
    k42_result result = region_look(region_body(self), address, SPACE_ACCESS_READ, &view);
    if ((result < 0 && result != -EACCES) || !(view.flags & SPACE_WATCHED))
        return result == -K42_RETRY ? 0 : -ENOENT;
    struct k42_pair taken = k42_call(pm_machine, take, 0, copy ? 0 : PM_ZERO);
    if (taken.result < 0)
        return taken.result;
    struct copy ahead = copy ? *copy : copy_of_kernel(NULL, 0);
    result = copy ? region_fill(taken.word, &ahead) : 0;
    if (result >= 0)
        result = adopt(view.fcm, view.index, taken.word);
    if (result < 0) {
        k42_result given = k42_call(pm_machine, give, taken.word, 0, 0);
        (void)given;
        return result;
    }
    if (copy)
        *copy = ahead;
    return PAGE_BYTES;
}

static k42_result shared_identify(struct region *self, uintptr_t address,
                                  struct space_identity *identity) {
    const struct region_new *state = &region_body(self)->state;
    *identity = (struct space_identity){k42_ref_id(state->fcm),
                                        state->first * PAGE_BYTES + (address - state->start)};
    return 0;
}

static k42_result shared_discard(struct region *self, uintptr_t address, size_t length) {
    return k42_call((hat_ref)region_body(self)->state.hat, release, address, length);
}

static k42_result shared_sync(struct region *self, uintptr_t address, size_t length,
                              unsigned durable) {
    const struct region_new *state = &region_body(self)->state;
    return k42_call((fcm_ref)state->fcm, sync, state->first + (address - state->start) / PAGE_BYTES,
                    length / PAGE_BYTES, durable);
}

static const struct region_ops shared_ops = {
    .object.describe = region_describe,
    .fault = shared_fault,
    .mapping = region_mapping,
    .identify = shared_identify,
    .divide = region_divide,
    .resize = region_resize,
    .move = region_move,
    .protect = region_protect,
    .set_flags = region_set_flags,
    .watch = region_watch,
    .rename = region_rename,
    .provide = shared_provide,
    .discard = shared_discard,
    .sync = shared_sync,
    .fork = region_fork,
    .close = region_close,
};

static const struct k42_format shared_format = {"region.shared", 3, 2};
static const struct k42_transfer shared_transfers[] = REGION_TRANSFERS(shared_format);

K42_CLASS(region_shared) = {
    .name = "region.shared",
    .interface = &region_interface,
    .version = 1,
    .traits = "sharing=all",
    .kind = &k42_single,
    .root_size = sizeof(struct region_body),
    .rep_offset = offsetof(struct region_body, rep),
    .ops = &shared_ops,
    .init = region_init,
    .transfers = shared_transfers,
};

k42_result region_create(const struct region_new *new, region_ref *region) {
    k42_ref ref = K42_NULL_REF;
    k42_result result =
        k42_make(new->flags &SPACE_SHARED ? &region_shared : &region_private, new, &ref);
    *region = (region_ref)ref;
    return result;
}
