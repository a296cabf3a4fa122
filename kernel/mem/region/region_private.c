/*
 * Region, private: memory of one program. Zeroed when it is first touched, or an object's pages,
 * each copied when it is first written.
 *
 * Private pages belong to the page tables (../hat/tables.h). Here is decided which page it is: a
 * zeroed one, a large one where the region is large, a copy. Pages of an object are mapped
 * read-only, with those of their neighbours that are in memory or by blocks of 2 MiB; of a block
 * that is written to, one page is copied.
 *
 * Fails: -ENOMEM, -K42_WAIT from the PM; what the FCM says.
 */
#include "body.h"

#define LARGE_ORDER 9u
#define LARGE_FROM  (8 * LARGE_BYTES) /* regions that get large pages without asking */

static void page_give(const struct region_view *view, uint64_t physical, unsigned order) {
    k42_result result = k42_call(view->pm, give, physical, order, 0);
    (void)result;
}

/* Maps a new page that is the program's own, or gives it back. */
static k42_result map_own(const struct region_view *view, uintptr_t address, uint64_t physical,
                          unsigned more) {
    unsigned protection = view->protection | HAT_PRIVATE | more;
    k42_result result = k42_call(view->hat, map, address, physical, protection, &view->lease);
    if (result < 0)
        page_give(view, physical, more & HAT_LARGE ? LARGE_ORDER : 0);
    return result;
}

static bool may_be_large(const struct region_view *view) {
    return view->fcm == (fcm_ref)K42_NULL_REF && region_has_block(view) &&
           (view->flags & SPACE_LARGE || view->end - view->start >= LARGE_FROM);
}

static k42_result zero_large(const struct region_view *view) {
    struct k42_pair taken = k42_call(view->pm, take, LARGE_ORDER, PM_ZERO | PM_TRY);
    if (taken.result < 0)
        return taken.result;
    return map_own(view, view->page & ~(LARGE_BYTES - 1), taken.word, HAT_LARGE);
}

static k42_result zero_page(const struct region_view *view) {
    struct k42_pair taken = k42_call(view->pm, take, 0, PM_ZERO);
    if (taken.result < 0)
        return taken.result;
    return map_own(view, view->page, taken.word, 0);
}

/* Copies what is mapped. */
static k42_result copy_mapped(const struct region_view *view) {
    struct k42_pair taken = k42_call(view->pm, take, 0, 0);
    if (taken.result < 0)
        return taken.result;
    k42_result result =
        k42_call(view->hat, copy, view->page, taken.word, view->protection, &view->lease);
    if (result != 0)
        page_give(view, taken.word, 0);
    return result == HAT_ABSENT ? -K42_RETRY : result;
}

/* Copies the object's page, which is not mapped. It is held until the copy is entered: whoever cuts
 * the file off there waits for that, and takes the copy away. */
static k42_result copy_object(const struct region_view *view) {
    struct fcm_page page;
    struct k42_pair taken = k42_call(view->pm, take, 0, 0);
    if (taken.result < 0)
        return taken.result;
    k42_result result = region_get_page(view, 0, &page);
    if (result < 0) {
        page_give(view, taken.word, 0);
        return result;
    }
    machine_copy_page(machine_memory(taken.word), machine_memory(page.physical));
    result = map_own(view, view->page, taken.word, 0);
    k42_result put = k42_call(view->fcm, put_page, view->index);
    (void)put;
    return result;
}

static k42_result map_object(const struct region_view *view) {
    struct fcm_page page;
    k42_result result = region_get_to_read(view, &page);
    return result < 0 ? result : region_map_to_read(view, &page);
}

static k42_result bring(const struct region_view *view, unsigned access, bool empty) {
    k42_result result = -ENOMEM;
    if (view->fcm != (fcm_ref)K42_NULL_REF)
        return access == SPACE_ACCESS_WRITE ? copy_object(view) : map_object(view);
    if (view->flags & SPACE_WATCHED) {
        result = region_missing(view);
        return result < 0 ? result : zero_page(view);
    }
    if (empty && may_be_large(view))
        result = zero_large(view);
    return result == -ENOMEM ? zero_page(view) : result;
}

static const unsigned wanted[] = {
    [SPACE_ACCESS_READ] = HAT_READ,
    [SPACE_ACCESS_WRITE] = HAT_WRITE,
    [SPACE_ACCESS_EXECUTE] = HAT_EXECUTE,
};

/*
 * The processor's hint that nothing is there spares asking the HAT. When it is wrong (another CPU
 * was faster, or a page is kept that could not be used so far) mapping says -EEXIST. A watcher is
 * told of nothing that is there, so there it is not relied on.
 */
static k42_result private_fault(struct region *self, uintptr_t address, unsigned access) {
    struct region_view view;
    unsigned kind = access & SPACE_ACCESS_KINDS;
    k42_result result = region_look(region_body(self), address, access, &view);
    if (result < 0)
        return result;
    if (access & SPACE_ACCESS_ABSENT && !(view.flags & SPACE_WATCHED) && !may_be_large(&view)) {
        result = bring(&view, kind, false);
        if (result != -EEXIST)
            return result < 0 ? result : 0;
    }
    result = k42_call(view.hat, grant, view.page, view.protection | wanted[kind] << HAT_WANTED,
                      &view.lease);
    if (result == HAT_OUT) {
        result = k42_call(view.hat, bring, view.page);
        return result < 0 ? result : -K42_RETRY;
    }
    if (result == HAT_COPY)
        result = copy_mapped(&view);
    else if (result > 0)
        result = bring(&view, kind, result == HAT_EMPTY);
    return result == -EEXIST ? -K42_RETRY : result < 0 ? result : 0;
}

static k42_result private_provide(struct region *self, uintptr_t address, struct copy *copy) {
    struct region_view view;
    k42_result result =
        region_look(region_body(self), address, SPACE_ACCESS_WRITE | SPACE_ACCESS_FORCE, &view);
    if (result < 0 || !(view.flags & SPACE_WATCHED))
        return result == -K42_RETRY ? 0 : -ENOENT;
    struct k42_pair taken = k42_call(view.pm, take, 0, copy ? 0 : PM_ZERO);
    if (taken.result < 0)
        return taken.result;
    struct copy ahead = copy ? *copy : copy_of_kernel(NULL, 0);
    result = copy ? region_fill(taken.word, &ahead) : 0;
    if (result < 0)
        page_give(&view, taken.word, 0);
    else
        result = map_own(&view, view.page, taken.word, 0);
    if (result >= 0 && copy)
        *copy = ahead;
    return result == -K42_RETRY ? 0 : result < 0 ? result : (k42_result)PAGE_BYTES;
}

static k42_result private_identify(struct region *self, uintptr_t address,
                                   struct space_identity *identity) {
    *identity = (struct space_identity){region_body(self)->state.space, address};
    return 0;
}

static k42_result private_discard(struct region *self, uintptr_t address, size_t length) {
    return k42_call((hat_ref)region_body(self)->state.hat, release, address, length);
}

static k42_result private_sync(struct region *self, uintptr_t address, size_t length,
                               unsigned durable) {
    (void)self, (void)address, (void)length, (void)durable;
    return 0;
}

static const struct region_ops private_ops = {
    .object.describe = region_describe,
    .fault = private_fault,
    .mapping = region_mapping,
    .identify = private_identify,
    .divide = region_divide,
    .resize = region_resize,
    .move = region_move,
    .protect = region_protect,
    .set_flags = region_set_flags,
    .watch = region_watch,
    .rename = region_rename,
    .provide = private_provide,
    .discard = private_discard,
    .sync = private_sync,
    .fork = region_fork,
    .close = region_close,
};

static const struct k42_format private_format = {"region.private", 3, 2};
static const struct k42_transfer private_transfers[] = REGION_TRANSFERS(private_format);

K42_CLASS(region_private) = {
    .name = "region.private",
    .interface = &region_interface,
    .version = 1,
    .traits = "sharing=none",
    .kind = &k42_single,
    .root_size = sizeof(struct region_body),
    .rep_offset = offsetof(struct region_body, rep),
    .ops = &private_ops,
    .init = region_init,
    .transfers = private_transfers,
};
