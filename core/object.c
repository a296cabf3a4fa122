/*
 * Objects: made, found by misses, ended, walked.
 *
 * Owns nothing between calls: the entry is table.c's, the root its class's. A miss may race with a
 * destroy or a redirect of the same object; the state word decides (entry.h), so a caller gets
 * either a representative that stays valid while it is active, or -K42_STALE.
 */
#include "entry.h"
#include "events.h"
#include "stubs.h"

struct k42_counters k42_counters;

/* ---- finding ---- */

k42_result k42_resolve(struct k42_entry *entry, struct k42_cpu *cpu, void **rep) {
    uint32_t number = cpu->head.number;
    uint64_t state = k42_load_acquire(&entry->state);
    for (unsigned step = 0;; step++) {
        if (!k42_entry_usable(state))
            return -K42_STALE;
        uint64_t counted = ((state + 1) | k42_entry_touch(number)) & ~K42_ENTRY_LAZY;
        if (!(state & K42_ENTRY_BUSY) && (state & K42_ENTRY_MISSES) != K42_ENTRY_MISSES &&
            __atomic_compare_exchange_n(&entry->state, &state, counted, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            break;
        k42_back_off(step);
        state = k42_load_acquire(&entry->state);
    }
    k42_id id = k42_entry_id(entry);
    /* Counted: the root is not changed and stays, and nobody empties the slot behind us. */
    k42_result result = k42_root_find(entry->root, number, rep);
    if (!result)
        k42_store_release((void **)cpu + id, *rep);
    __atomic_fetch_sub(&entry->state, 1, __ATOMIC_ACQ_REL);
    k42_count(&cpu->misses, 1);
    if (state & K42_ENTRY_LAZY)
        k42_worker_lazy(id);
    return result;
}

/* Called by the miss stubs with the entry as self. */
struct k42_pair k42_miss(void *entry, unsigned method) {
    (void)method;
    struct k42_cpu *cpu = k42_this_cpu();
    void *rep = NULL;
    k42_event_miss(k42_entry_id(entry), cpu->head.number);
    k42_result result = k42_resolve(entry, cpu, &rep);
    return (struct k42_pair){result, (uintptr_t)rep};
}

/* ---- making ---- */

k42_result k42_root_make(struct k42_class *class_, const void *args, struct k42_root **made) {
    struct k42_root *root = k42_platform_alloc(class_->root_size);
    if (!root)
        return -ENOMEM;
    root->class_ = class_;
    if (class_->kind == &k42_single)
        *(const void **)((char *)root + class_->rep_offset) = class_->ops;
    k42_result result = class_->init ? class_->init(root, args) : 0;
    if (result < 0) {
        k42_platform_free(root);
        return result;
    }
    k42_count(&k42_cpu_or_shared()->roots, 1);
    *made = root;
    return 0;
}

static void publish_as(struct k42_root *root, k42_id id, k42_ref *ref) {
    struct k42_entry *entry = &k42_entries[id];
    root->id = id;
    k42_store_release(&entry->root, root);
    /* Threads that are not attached share a CPU, so this one is counted as others may. */
    k42_count(&k42_cpu_or_shared()->created, 1);
    k42_event_create(id, root->class_->name);
    *ref = k42_id_ref(id);
    k42_store_release(&entry->state, K42_ENTRY_LIVE);
}

k42_result k42_publish(struct k42_root *root, k42_ref *ref) {
    k42_id id;
    k42_result result = k42_id_allocate(k42_class_interface_number(root->class_), &id);
    if (result >= 0)
        publish_as(root, id, ref);
    return result;
}

/* The class's init is the last that can fail: what it was given is still the caller's then. */
k42_result k42_create(struct k42_class *class_, const void *args, k42_ref *ref) {
    if (!k42_class_registered(class_))
        return -ENOENT;
    struct k42_root *root;
    k42_id id;
    k42_result result = k42_id_allocate(k42_class_interface_number(class_), &id);
    if (result < 0)
        return result;
    result = k42_root_make(class_, args, &root);
    if (result < 0)
        k42_id_free(id);
    else
        publish_as(root, id, ref);
    return result;
}

/* ---- ending ---- */

k42_result k42_destroy(k42_ref ref) {
    k42_id id = k42_ref_id(ref);
    if (!k42_id_valid(id))
        return -K42_STALE;
    struct k42_entry *entry = &k42_entries[id];
    uint64_t state = k42_load_acquire(&entry->state);
    for (unsigned step = 0;; step++) {
        if (!k42_entry_usable(state) || (state & K42_ENTRY_DOOMED))
            return -K42_STALE;
        if (state & K42_ENTRY_SWAPPING) {
            if (__atomic_compare_exchange_n(&entry->state, &state, state | K42_ENTRY_DOOMED, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                return 0;
            continue;
        }
        if (!(state & K42_ENTRY_BUSY) &&
            __atomic_compare_exchange_n(&entry->state, &state, state | K42_ENTRY_DEAD, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            break;
        k42_back_off(step);
        state = k42_load_acquire(&entry->state);
    }
    /* Misses that were under way have touched before they counted themselves up. */
    k42_slots_empty(id, k42_entry_touched(k42_entry_settle(entry)));
    k42_bury(id);
    return 0;
}

void k42_bury(k42_id id) {
    struct k42_cpu *cpu = k42_cpu_or_shared();
    struct k42_root *root = k42_entries[id].root;
    k42_event_destroy(id);
    k42_count(&cpu->buried, 1);
    __atomic_fetch_add(&cpu->destroyed, 1, __ATOMIC_RELAXED);
    k42_id first = k42_load_relaxed(&cpu->dead);
    do
        root->link = first;
    while (!__atomic_compare_exchange_n(&cpu->dead, &first, id, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    k42_reclaimer_kick();
}

struct k42_root *k42_root_bottom(struct k42_root *root) {
    for (struct k42_root **target; (target = k42_interposer_target(root));)
        root = k42_load_acquire(target);
    return root;
}

void k42_root_end(struct k42_root *root) {
    for (struct k42_root **target; (target = k42_interposer_target(root));) {
        struct k42_root *below = *target;
        k42_interposer_orphan(root);
        root = below;
    }
    k42_count(&k42_cpu_or_shared()->roots, -1);
    root->class_->kind->end(root);
}
