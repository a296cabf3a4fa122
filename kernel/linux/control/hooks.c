/*
 * Hooks that programs place on objects: they count calls and how long they take, by method, and may
 * delay some or answer instead of the object.
 *
 * Owns: each hook's memory, from placing it until the runtime says that nobody is inside it; it is
 * listed in its conversation, which takes all away when it is over, also because its program died.
 * Counters are each CPU's own, changed by one instruction each: threads inside an object do not
 * move. Locking: none. Fails: what an object cannot have is said in its record.
 *
 * A call costs some 310 instructions more while it is hooked, most of them for the clock.
 */
#include "control.h"

#include <k42/interpose.h>
#include <k42/k42.h>

struct counters {
    uint64_t calls, failed, waits, total_ns, longest_ns;
    uint64_t within[K42_CONTROL_BUCKETS];
};

struct control_hook {
    struct k42_hook hook;
    struct control_hook *next;
    uint32_t number;
    k42_id id;
    uint32_t methods;
    int32_t method; /* which is delayed or answered; -1: all */
    uint64_t delay_ns;
    int32_t error;
    bool counted; /* `left` says how many more */
    uint32_t left;
    struct counters *counters[]; /* of each CPU, one for each method */
};

/* ---- in the calls ---- */

/* By one instruction, so that nobody on this CPU comes between. */
static void add(uint64_t *to, uint64_t n) {
    __asm__ volatile("addq %1, %0" : "+m"(*to) : "er"(n) : "cc");
}

static struct counters *counters_of(struct control_hook *hook, unsigned method) {
    return &hook->counters[k42_this_cpu()->head.number][method];
}

/* Whether this call is one of those that something is done to. */
static bool is_meant(struct control_hook *hook, unsigned method) {
    if ((!hook->delay_ns && !hook->error) || (hook->method >= 0 && hook->method != (int)method))
        return false;
    uint32_t left = __atomic_load_n(&hook->left, __ATOMIC_RELAXED);
    if (!hook->counted)
        return true;
    while (left && !__atomic_compare_exchange_n(&hook->left, &left, left - 1, true,
                                                __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return left;
}

static void delay(uint64_t ns) {
    uint64_t end = k42_platform_now_ns() + ns;
    while (k42_platform_now_ns() < end)
        k42_relax();
}

static enum k42_verdict before(struct k42_hook *placed, struct k42_invocation *call) {
    struct control_hook *hook = k42_container(placed, struct control_hook, hook);
    struct counters *counters = counters_of(hook, call->method);
    call->scratch[0] = k42_platform_now_ns();
    add(&counters->calls, 1);
    if (!is_meant(hook, call->method))
        return K42_PROCEED;
    if (hook->delay_ns)
        delay(hook->delay_ns);
    if (!hook->error)
        return K42_PROCEED;
    add(&counters->failed, 1);
    call->result = -hook->error;
    return K42_ANSWER;
}

static unsigned bucket_of(uint64_t ns) {
    unsigned bucket = ns ? 64u - (unsigned)__builtin_clzl(ns) : 0;
    return bucket < K42_CONTROL_BUCKETS ? bucket : K42_CONTROL_BUCKETS - 1;
}

static void after(struct k42_hook *placed, struct k42_invocation *call) {
    struct control_hook *hook = k42_container(placed, struct control_hook, hook);
    struct counters *counters = counters_of(hook, call->method);
    uint64_t took = k42_platform_now_ns() - call->scratch[0];
    if (call->result == -K42_WAIT || call->result == -K42_FAULT)
        add(&counters->waits, 1);
    else if (call->result < 0)
        add(&counters->failed, 1);
    add(&counters->total_ns, took);
    add(&counters->within[bucket_of(took)], 1);
    if (took > counters->longest_ns)
        counters->longest_ns = took;
}

/* ---- placing and taking away ---- */

static void hook_free(struct control_hook *hook) {
    for (uint32_t cpu = 0; cpu < k42_cpu_limit(); cpu++)
        k42_platform_free(hook->counters[cpu]);
    k42_platform_free(hook);
}

static void hook_gone(struct k42_hook *placed) {
    hook_free(k42_container(placed, struct control_hook, hook));
}

static struct control_hook *hook_make(k42_id id, uint32_t methods) {
    uint32_t cpus = k42_cpu_limit();
    struct control_hook *hook = k42_platform_alloc(sizeof *hook + cpus * sizeof *hook->counters);
    if (!hook)
        return NULL;
    hook->hook.before = before;
    hook->hook.after = after;
    hook->id = id;
    hook->methods = methods;
    for (uint32_t cpu = 0; cpu < cpus; cpu++)
        if (!(hook->counters[cpu] = k42_platform_alloc(methods * sizeof **hook->counters))) {
            hook_free(hook);
            return NULL;
        }
    return hook;
}

/* The number of a method, or -1: there is none of that name. */
static int32_t method_number(k42_id id, uint32_t methods, const char *name) {
    for (uint32_t method = 0; method < methods; method++)
        if (k42_text_equal(k42_method_label(id, method), name))
            return (int32_t)method;
    return -1;
}

static k42_result place(struct control *control, k42_id id,
                        const struct k42_control_interpose *asked, uint32_t *number) {
    struct k42_object_info info;
    if (control->hook_count >= K42_CONTROL_HOOKS)
        return -ENOSPC;
    if (k42_inspect(k42_id_ref(id), &info) < 0)
        return -ENOENT;
    uint32_t methods = k42_interface_by_number(k42_id_interface(id))->methods;
    int32_t method = asked->method[0] ? method_number(id, methods, asked->method) : -1;
    if (asked->method[0] && method < 0)
        return -EINVAL;
    struct control_hook *hook = hook_make(id, methods);
    if (!hook)
        return -ENOMEM;
    hook->method = method;
    hook->delay_ns = asked->delay_ns;
    hook->error = asked->error;
    hook->counted = asked->most;
    hook->left = asked->most;
    hook->number = control->hook_count;
    k42_result result = k42_interpose(k42_id_ref(id), &hook->hook);
    if (result < 0) {
        hook_free(hook);
        return result;
    }
    hook->next = control->hooks;
    control->hooks = hook;
    *number = control->hook_count++;
    return 0;
}

k42_result control_interpose(struct control *control, const struct control_request *request) {
    k42_result result =
        control_begin(control, request->kind, request->count * sizeof(struct k42_control_placed));
    for (uint32_t i = 0; !result && i < request->count; i++) {
        struct k42_control_placed *placed = control_add(control, sizeof *placed);
        placed->id = request->ids[i];
        placed->result =
            (int32_t)control_result(place(control, placed->id, request->body, &placed->hook));
    }
    return result;
}

void control_hooks_end(struct control *control) {
    while (control->hooks) {
        struct control_hook *hook = control->hooks;
        control->hooks = hook->next;
        if (k42_release_later(&hook->hook, hook_gone) < 0)
            hook_free(hook);
    }
}

/* ---- telling ---- */

static void tell(const struct control_hook *hook, uint32_t method, struct k42_control_calls *told) {
    k42_copy_text(told->method, sizeof told->method, k42_method_label(hook->id, method));
    for (uint32_t cpu = 0; cpu < k42_cpu_limit(); cpu++) {
        const struct counters *from = &hook->counters[cpu][method];
        told->calls += k42_load_relaxed(&from->calls);
        told->failed += k42_load_relaxed(&from->failed);
        told->waits += k42_load_relaxed(&from->waits);
        told->total_ns += k42_load_relaxed(&from->total_ns);
        uint64_t longest = k42_load_relaxed(&from->longest_ns);
        told->longest_ns = longest > told->longest_ns ? longest : told->longest_ns;
        for (unsigned n = 0; n < K42_CONTROL_BUCKETS; n++)
            told->within[n] += k42_load_relaxed(&from->within[n]);
    }
}

k42_result control_calls(struct control *control, const struct control_request *request) {
    const struct k42_control_one *one = request->body;
    const struct control_hook *hook = control->hooks;
    while (hook && hook->number != one->number)
        hook = hook->next;
    if (!hook)
        return -ENOENT;
    k42_result result =
        control_begin(control, request->kind, hook->methods * sizeof(struct k42_control_calls));
    for (uint32_t method = 0; !result && method < hook->methods; method++)
        tell(hook, method, control_add(control, sizeof(struct k42_control_calls)));
    return result;
}
