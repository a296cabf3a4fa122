/*
 * A component that does whatever a ledger counts: instances, deferred calls, threads, hooks, swaps,
 * trace events.
 */
#include "parts.h"
#include "tally.h"

K42_COMPONENT("workshop");
K42_TRACE_EVENT(workshop_event, "workshop:number", (u32, number));

static void sign(uint32_t *word) {
    __atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
}

static int signed_by_test(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE) != 0;
}

/* ---- deferred calls ---- */

static struct k42_defer defer;
static struct workshop_signs *defer_signs;

static void deferred(struct k42_defer *self) {
    sign(&defer_signs->defers_run);
    if (signed_by_test(&defer_signs->defer_again))
        k42_defer(self, deferred);
}

static void workshop_defer(struct workshop_signs *signs) {
    defer_signs = signs;
    k42_defer(&defer, deferred);
}

/* ---- a thread, that looks for its own component when it ends ---- */

static void thread_run(void *context) {
    struct workshop_signs *signs = context;
    sign(&signs->thread_started);
    while (!k42_thread_should_stop())
        k42_thread_sleep(3600000000000ull);
    if (k42_component_find("workshop"))
        sign(&signs->thread_found_itself);
    sign(&signs->thread_ended);
}

static struct k42_thread *workshop_start_thread(struct workshop_signs *signs) {
    return k42_thread_start("workshop", thread_run, signs);
}

/* ---- a hook ---- */

static enum k42_verdict hook_before(struct k42_hook *hook, struct k42_invocation *call) {
    (void)call;
    sign(&((struct workshop_signs *)hook->context)->hook_called);
    return K42_PROCEED;
}
static struct k42_hook hook = {.before = hook_before};

static k42_result workshop_interpose(k42_ref ref, struct workshop_signs *signs) {
    hook.context = signs;
    return k42_interpose(ref, &hook);
}

static k42_result workshop_release(void) {
    return k42_release(&hook);
}

/* ---- a swap on request ---- */

static struct k42_swap request;

static void swap_done(struct k42_swap *self) {
    sign(&((struct workshop_signs *)self->context)->swap_done);
}

static k42_result workshop_swap(k42_ref ref, struct k42_class *to, struct workshop_signs *signs) {
    request = (struct k42_swap){.ref = ref, .to = to, .done = swap_done, .context = signs};
    return k42_swap_submit(&request);
}

static void workshop_trace(uint32_t number) {
    K42_TRACE(workshop_event, number);
}

/* ---- its classes ---- */

static const struct workshop_tools all_tools = {
    .defer = workshop_defer,
    .start_thread = workshop_start_thread,
    .interpose = workshop_interpose,
    .release = workshop_release,
    .swap = workshop_swap,
    .trace = workshop_trace,
};

struct workshop_object {
    struct k42_root root;
    struct workshop rep;
};

static k42_result workshop_tools_(struct workshop *self, const struct workshop_tools **tools) {
    (void)self;
    *tools = &all_tools;
    return 0;
}

static const struct workshop_ops workshop_ops_ = {.tools = workshop_tools_};
K42_CLASS(workshop_class) = {.name = "workshop",
                             .version = 1,
                             .interface = &workshop_interface,
                             .kind = &k42_single,
                             .root_size = sizeof(struct workshop_object),
                             .rep_offset = offsetof(struct workshop_object, rep),
                             .ops = &workshop_ops_};
K42_CLASS(workshop_tally) = {TALLY_PLAIN("tally.workshop", 1)};
