/*
 * Interposers: hooks around every method of one object.
 *
 * An interposer is a root on top of the object's, with one representative whose operations are the
 * intercept stubs. It asks the root below for the representative at each call, so it holds nothing
 * that a swap below it would have to flush. Placing needs no quiescence (calls under way bypass
 * it); taking away needs a grace period before the hook is the caller's again.
 *
 * Owns: the chain of an object's interposers, changed only with its entry claimed and not while it
 * is being swapped. Fails: -EBUSY during a swap, -ENOMEM.
 */
#include "entry.h"
#include "events.h"
#include "stubs.h"

enum { PLACED, LEAVING, ORPHANED }; /* ORPHANED: the object was destroyed, nobody is inside */

struct k42_interposer {
    struct k42_root root;
    struct k42_interceptor rep;
    struct k42_root *target; /* what is below */
    struct k42_hook *hook;
    struct k42_module *module;
    k42_id id;
    uint32_t state;
    struct k42_defer defer;
    void (*done)(struct k42_hook *);
};

static k42_result interposer_find(struct k42_root *root, uint32_t cpu, void **rep) {
    (void)cpu;
    *rep = &((struct k42_interposer *)root)->rep;
    return 0;
}

static void interposer_never_ends(struct k42_root *root) {
    k42_panic("interposer of object %u ended as an object", root->id);
}

static const struct k42_root_kind interposer_kind = {"interposer", interposer_find,
                                                     interposer_never_ends};
static struct k42_class interposer_class = {.name = "k42.interposer", .kind = &interposer_kind};

struct k42_root **k42_interposer_target(struct k42_root *root) {
    if (root->class_ != &interposer_class)
        return NULL;
    return &((struct k42_interposer *)root)->target;
}

void k42_interposer_orphan(struct k42_root *root) {
    struct k42_interposer *interposer = (struct k42_interposer *)root;
    k42_store_release(&interposer->state, ORPHANED);
    k42_platform_wake(&interposer->state, ~0u >> 1);
}

/* ---- calls ---- */

static struct k42_pair call_below(struct k42_interposer *interposer, struct k42_cpu *cpu,
                                  const struct k42_frame_registers *call) {
    void *rep;
    k42_result result =
        k42_root_find(k42_load_acquire(&interposer->target), cpu->head.number, &rep);
    return result < 0 ? (struct k42_pair){result, 0} : k42_invoke(rep, call);
}

static struct k42_pair interposer_handle(struct k42_interceptor *interceptor,
                                         struct k42_frame_registers *registers) {
    struct k42_interposer *interposer = k42_container(interceptor, struct k42_interposer, rep);
    struct k42_hook *hook = interposer->hook;
    struct k42_cpu *cpu = k42_this_cpu();
    struct k42_invocation call = {
        .ref = k42_id_ref(interposer->id),
        .method = (unsigned)registers->method,
        .method_name = k42_method_label(interposer->id, (unsigned)registers->method)};
    for (unsigned i = 0; i < K42_MAX_ARGS; i++)
        call.args[i] = registers->args[i];
    k42_tracked_push(cpu->head.calls, interposer->id, call.method);
    if (!hook->before || hook->before(hook, &call) == K42_PROCEED) {
        struct k42_frame_registers onward = *registers;
        for (unsigned i = 0; i < K42_MAX_ARGS; i++)
            onward.args[i] = call.args[i];
        struct k42_pair answer = call_below(interposer, cpu, &onward);
        call.result = answer.result;
        call.word = answer.word;
        if (hook->after)
            hook->after(hook, &call);
    }
    k42_tracked_pop(cpu->head.calls);
    return (struct k42_pair){call.result, call.word};
}

/* ---- placing ---- */

static k42_result interposer_place(struct k42_interposer *interposer) {
    struct k42_entry *entry = &k42_entries[interposer->id];
    k42_result result = k42_entry_claim(entry, K42_ENTRY_SWAPPING, 0);
    if (result < 0)
        return result;
    interposer->root.id = interposer->id;
    interposer->target = entry->root;
    k42_store_release(&entry->root, &interposer->root);
    k42_slots_empty(interposer->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    k42_entry_release(entry, 0, false);
    return 0;
}

k42_result k42_interpose_from(struct k42_module *module, k42_ref ref, struct k42_hook *hook) {
    k42_id id = k42_ref_id(ref);
    if (!k42_id_valid(id))
        return -K42_STALE;
    const struct k42_interface *interface_ = k42_interface_by_number(k42_id_interface(id));
    if (!interface_ || interface_->flags & K42_INTERFACE_ATOMIC)
        return interface_ ? -ENOTSUP : -K42_STALE;
    struct k42_interposer *interposer = k42_platform_alloc(sizeof *interposer);
    struct k42_interposer *none = NULL;
    if (!interposer)
        return -ENOMEM;
    if (!__atomic_compare_exchange_n(&hook->interposer, &none, interposer, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        k42_platform_free(interposer);
        return -EALREADY;
    }
    interposer->root.class_ = &interposer_class;
    interposer->rep.ops = k42_intercept_ops;
    interposer->rep.handle = interposer_handle;
    interposer->hook = hook;
    interposer->module = module;
    interposer->id = id;
    k42_count(&k42_counters.interposers_live, 1);
    k42_ledger_add(module, K42_LEDGER_HOOKS, 1);
    k42_result result = interposer_place(interposer);
    if (result < 0) {
        k42_store_release(&hook->interposer, NULL);
        k42_count(&k42_counters.interposers_live, -1);
        k42_ledger_add(module, K42_LEDGER_HOOKS, -1);
        k42_platform_free(interposer);
        return result;
    }
    k42_event_interpose(id);
    return 0;
}

/* ---- taking away ---- */

/*
 * Takes an interposer out of its object's chain. 0: out, and a grace period is due. -K42_STALE: the
 * object is dead, and the reclaimer will orphan it. -EBUSY: a swap owns the chain.
 *
 * The id may have been used again if the object died long ago; then the chain found here is another
 * object's and the interposer is not in it.
 */
static k42_result interposer_unlink(struct k42_interposer *interposer) {
    struct k42_entry *entry = &k42_entries[interposer->id];
    k42_result result = k42_entry_claim(entry, K42_ENTRY_SWAPPING, 0);
    if (result < 0)
        return result;
    struct k42_root **link = &entry->root;
    while (*link != &interposer->root) {
        link = k42_interposer_target(*link);
        if (!link) {
            k42_entry_release(entry, 0, false);
            return -K42_STALE;
        }
    }
    k42_store_release(link, interposer->target);
    k42_slots_empty(interposer->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    k42_entry_release(entry, 0, false);
    return 0;
}

/* The hook is nobody's but the caller's again. */
static void interposer_free(struct k42_interposer *interposer) {
    struct k42_hook *hook = interposer->hook;
    struct k42_module *module = interposer->module;
    k42_event_release(interposer->id);
    k42_count(&k42_counters.interposers_live, -1);
    k42_platform_free(interposer);
    k42_store_release(&hook->interposer, NULL);
    k42_ledger_add(module, K42_LEDGER_HOOKS, -1);
}

k42_result k42_release(struct k42_hook *hook) {
    if (k42_active())
        return -EDEADLK;
    struct k42_interposer *interposer = k42_load_acquire(&hook->interposer);
    uint32_t placed = PLACED;
    if (!interposer)
        return -EINVAL;
    /* Of several releasers one gets it. An orphan is taken too, by the second exchange. */
    if (!__atomic_compare_exchange_n(&interposer->state, &placed, LEAVING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        !(placed == ORPHANED &&
          __atomic_compare_exchange_n(&interposer->state, &placed, LEAVING, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE)))
        return -EINVAL;
    if (placed == ORPHANED) {
        interposer_free(interposer);
        return -K42_STALE;
    }
    k42_result result;
    for (unsigned step = 0; (result = interposer_unlink(interposer)) == -EBUSY; step++)
        k42_back_off(step);
    if (result == -K42_STALE)
        while (k42_load_acquire(&interposer->state) != ORPHANED)
            k42_platform_park(&interposer->state, LEAVING, 1000000);
    else if (k42_synchronize() < 0)
        k42_panic("release became active");
    interposer_free(interposer);
    return result;
}

static void release_on_worker(struct k42_defer *defer) {
    struct k42_interposer *interposer = k42_container(defer, struct k42_interposer, defer);
    struct k42_hook *hook = interposer->hook;
    void (*done)(struct k42_hook *) = interposer->done;
    if (k42_load_acquire(&interposer->state) == ORPHANED) {
        interposer_free(interposer);
        if (done)
            done(hook);
        return;
    }
    /* Not out yet (a swap, or the object is about to end): look again after a grace period. */
    k42_result result = interposer_unlink(interposer);
    if (result == 0)
        k42_store_release(&interposer->state, ORPHANED);
    k42_defer_from(NULL, defer, release_on_worker);
}

k42_result k42_release_later(struct k42_hook *hook, void (*done)(struct k42_hook *)) {
    struct k42_interposer *interposer = k42_load_acquire(&hook->interposer);
    uint32_t placed = PLACED;
    if (!interposer)
        return -EINVAL;
    if (!__atomic_compare_exchange_n(&interposer->state, &placed, LEAVING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        placed != ORPHANED)
        return -EINVAL;
    interposer->done = done;
    k42_defer_from(NULL, &interposer->defer, release_on_worker);
    return 0;
}
