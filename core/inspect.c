/*
 * Looking at objects from outside: one by its ref, all by walking the pages of slots, counters.
 *
 * Whoever walks is active for one page at a time, so that a root seen live stays readable; the
 * visitor is called with a copy, outside.
 */
#include "entry.h"

struct k42_root *k42_entry_bottom(struct k42_entry *entry) {
    struct k42_root *root = k42_load_acquire(&entry->root);
    if (root->class_->kind->find == k42_mediator_find)
        root = k42_mediator_old(root);
    return k42_root_bottom(root);
}

static bool inspect(k42_id id, struct k42_object_info *info) {
    struct k42_entry *entry = &k42_entries[id];
    uint64_t state = k42_load_acquire(&entry->state);
    if (!k42_entry_usable(state))
        return false;
    struct k42_root *root = k42_load_acquire(&entry->root);
    if (root->class_->kind->find == k42_mediator_find)
        root = k42_mediator_old(root);
    *info = (struct k42_object_info){.id = id, .swapping = (state & K42_ENTRY_SWAPPING) != 0};
    for (struct k42_root **target; (target = k42_interposer_target(root));) {
        info->interposers++;
        root = k42_load_acquire(target);
    }
    const struct k42_class *class_ = root->class_;
    info->version = class_->version;
    info->clustered = class_->kind == &k42_clustered;
    info->bytes = class_->root_size;
    k42_copy_text(info->class_name, sizeof info->class_name, class_->name);
    k42_copy_text(info->interface_name, sizeof info->interface_name, class_->interface->name);
    info->cpus = (uint64_t)__builtin_popcount(k42_entry_touched(state));
    if (info->clustered)
        info->bytes += class_->rep_size *
                       (class_->cluster > 1 ? (info->cpus + class_->cluster - 1) / class_->cluster
                                            : info->cpus);
    return true;
}

k42_result k42_visit_begin(struct k42_visit *visit) {
    *visit = (struct k42_visit){0};
    if (k42_active())
        return 0;
    if (!k42_attached()) {
        k42_result result = k42_attach("visitor");
        if (result < 0)
            return result;
        visit->attached = true;
    }
    k42_enter();
    visit->entered = true;
    return 0;
}

void k42_visit_end(struct k42_visit *visit) {
    if (visit->entered)
        k42_exit();
    if (visit->attached && k42_detach() < 0)
        k42_panic("visitor could not detach");
}

struct k42_class *k42_class_of(k42_ref ref) {
    k42_id id = k42_ref_id(ref);
    if (!k42_id_valid(id) || !k42_entry_usable(k42_load_acquire(&k42_entries[id].state)))
        return NULL;
    return k42_entry_bottom(&k42_entries[id])->class_;
}

k42_result k42_inspect(k42_ref ref, struct k42_object_info *info) {
    struct k42_visit visit;
    k42_id id = k42_ref_id(ref);
    if (!k42_id_valid(id))
        return -K42_STALE;
    k42_result result = k42_visit_begin(&visit);
    if (result < 0)
        return result;
    bool live = inspect(id, info);
    k42_visit_end(&visit);
    return live ? 0 : -K42_STALE;
}

/* The rest of a page, from an object's number on. */
static long visit_page(k42_id id, long (*visit)(const struct k42_object_info *, void *context),
                       void *context) {
    for (k42_id end = (id / K42_SLOTS_PER_PAGE + 1) * K42_SLOTS_PER_PAGE; id < end; id++) {
        struct k42_object_info info;
        if (!(k42_load_relaxed(&k42_entries[id].state) & K42_ENTRY_LIVE) ||
            k42_inspect(k42_id_ref(id), &info) < 0)
            continue;
        long stop = visit(&info, context);
        if (stop)
            return stop;
    }
    return 0;
}

static bool page_is_of(uint32_t page, const struct k42_interface *interface_) {
    const struct k42_interface *its =
        k42_interface_by_number(k42_id_interface(page * K42_SLOTS_PER_PAGE));
    return its && k42_text_equal(its->name, interface_->name);
}

/* The objects of a page are of one interface. */
long k42_each_object_from(k42_id first, const struct k42_interface *interface_,
                          long (*visit)(const struct k42_object_info *, void *context),
                          void *context) {
    k42_id id = first < K42_SLOTS_PER_PAGE ? K42_SLOTS_PER_PAGE : first;
    for (uint32_t page = id / K42_SLOTS_PER_PAGE; page < k42_pages_used(); page++) {
        long stop = 0;
        if (!k42_page_spent(page) && (!interface_ || page_is_of(page, interface_)))
            stop = visit_page(id, visit, context);
        if (stop)
            return stop;
        id = (page + 1) * K42_SLOTS_PER_PAGE;
    }
    return 0;
}

long k42_each_object(const struct k42_interface *interface_,
                     long (*visit)(const struct k42_object_info *, void *context), void *context) {
    return k42_each_object_from(0, interface_, visit, context);
}

k42_id k42_objects_from(k42_id first, uint32_t slots,
                        long (*visit)(const struct k42_object_info *, void *context),
                        void *context) {
    k42_id id = first < K42_SLOTS_PER_PAGE ? K42_SLOTS_PER_PAGE : first;
    uint32_t end = k42_pages_used() * K42_SLOTS_PER_PAGE;
    for (; id < end && slots; id = k42_id_after(id), slots--) {
        struct k42_object_info info;
        if ((k42_load_relaxed(&k42_entries[id].state) & K42_ENTRY_LIVE) &&
            k42_inspect(k42_id_ref(id), &info) >= 0 && visit(&info, context))
            return id;
    }
    return id < end ? id : 0;
}

k42_id k42_shared_from(k42_id first, uint32_t slots, const struct k42_interface *interface_,
                       void (*visit)(k42_id id)) {
    k42_id id = first < K42_SLOTS_PER_PAGE ? K42_SLOTS_PER_PAGE : first;
    uint32_t end = k42_pages_used() * K42_SLOTS_PER_PAGE;
    uint32_t number = k42_interface_number(interface_);
    for (; id < end && slots; id = k42_id_after(id), slots--) {
        uint64_t state = k42_load_relaxed(&k42_entries[id].state);
        uint32_t touched = k42_entry_touched(state);
        if (k42_entry_usable(state) && touched & (touched - 1) && k42_id_interface(id) == number)
            visit(id);
    }
    return id < end ? id : 0;
}

void k42_stats(struct k42_stats *stats) {
#define SUM(counter) k42_cpus_sum(offsetof(struct k42_cpu, counter))
    *stats = (struct k42_stats){.created = SUM(created),
                                .destroyed = SUM(destroyed),
                                .misses = SUM(misses),
                                .roots_live = SUM(roots)};
    stats->objects = stats->created - stats->destroyed;
    stats->swaps = k42_load_relaxed(&k42_counters.swaps);
    stats->swap_aborts = k42_load_relaxed(&k42_counters.swap_aborts);
    stats->mediators_live = k42_load_relaxed(&k42_counters.mediators_live);
    stats->interposers_live = k42_load_relaxed(&k42_counters.interposers_live);
    stats->grace_periods = k42_grace_periods();
    stats->defers_pending = k42_defers_pending();
    stats->bytes_global = (uint64_t)k42_pages_used() * K42_SLOTS_PER_PAGE *
                          (sizeof(struct k42_entry) + sizeof(void *));
    stats->bytes_local =
        (uint64_t)k42_cpu_limit() * k42_pages_used() * K42_SLOTS_PER_PAGE * sizeof(void *);
}
