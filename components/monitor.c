/*
 * A monitor: counts and times the calls of every page cache that there is when it is loaded.
 *
 * It puts itself around objects (interposition), so nothing else has to know, and goes without a
 * trace:
 *
 *     ./k42 build components/monitor.c
 *     k42ctl load monitor.k42
 *     ...
 *     k42ctl unload monitor        the sums stand in the kernel's log
 *
 * A hook's functions run in the caller's thread, as part of the call: they count, and do nothing
 * that takes long. Objects may be swapped meanwhile; their hooks stay.
 */
#include <k42/kernel.h>

#define HOOKS_MOST   512u
#define METHODS_MOST 32u

struct method {
    const char *name;
    uint64_t calls, ns;
};

static struct k42_hook hooks[HOOKS_MOST];
static uint32_t placed;
static struct method methods[METHODS_MOST];

/* An event of every call, for whoever records events of that name. */
K42_TRACE_EVENT(monitor_call, "monitor:call", (u32, object), (string, method), (u64, ns));

static enum k42_verdict before(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook;
    call->scratch[0] = time_ns();
    return K42_PROCEED;
}

static void after(struct k42_hook *hook, struct k42_invocation *call) {
    uint64_t ns = time_ns() - call->scratch[0];
    (void)hook;
    if (call->method >= METHODS_MOST)
        return;
    struct method *method = &methods[call->method];
    /* The name is the interface's, and constant: whoever writes it writes the same. */
    __atomic_store_n(&method->name, call->method_name, __ATOMIC_RELAXED);
    __atomic_fetch_add(&method->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&method->ns, ns, __ATOMIC_RELAXED);
    K42_TRACE(monitor_call, k42_ref_id(call->ref), call->method_name, ns);
}

static long place(const struct k42_object_info *info, void *context) {
    struct k42_hook *hook = &hooks[placed];
    (void)context;
    *hook = (struct k42_hook){.before = before, .after = after};
    /* One that is being swapped, or went, is left out. */
    if (k42_interpose(k42_id_ref(info->id), hook) >= 0)
        placed++;
    return placed == HOOKS_MOST;
}

static long start(void) {
    placed = 0;
    (void)k42_each_object(&fcm_interface, place, NULL);
    print("monitor: watches %u page caches", placed);
    return 0;
}

/* Waits until no call is inside a hook any more; the object may have gone long before. */
static void stop(void) {
    for (uint32_t i = 0; i < placed; i++)
        (void)!k42_release(&hooks[i]);
    placed = 0;
    for (unsigned i = 0; i < METHODS_MOST; i++)
        if (methods[i].calls)
            print("monitor: %s: %lu calls, %lu ns each", methods[i].name, methods[i].calls,
                  methods[i].ns / methods[i].calls);
}

K42_COMPONENT("monitor");
K42_COMPONENT_STARTS(start, stop);
