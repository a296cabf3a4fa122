/*
 * Interposition: hooks around every method of one live object.
 *
 * A hook sees arguments before the call and the result after it; it may change both, answer instead
 * of the object, delay, or fail the call. Hooks stack; the latest is outermost. An interposed
 * object can be swapped, and its hooks stay. Calls that began before the hook was placed bypass it.
 */
#ifndef K42_INTERPOSE_H
#define K42_INTERPOSE_H

#include <k42/object.h>

#ifdef __cplusplus
extern "C" {
#endif

#define K42_MAX_ARGS 5

/* One call as a hook sees it. */
struct k42_invocation {
    k42_ref ref;
    unsigned method;         /* index in the table of operations */
    const char *method_name; /* or "method 7" when the interface carries no names */
    uintptr_t
        args[K42_MAX_ARGS]; /* what follows self; those a method does not have are undefined */
    k42_result result;      /* in after(), or to be set by before() with K42_ANSWER */
    uintptr_t word;         /* the second word of a pair */
    uint64_t scratch[2];    /* the hook's own, from before() to after() */
};

enum k42_verdict {
    K42_PROCEED, /* make the call, then after() */
    K42_ANSWER,  /* return `result` and `word` now; neither the object nor after() sees the call */
};

/* A hook: memory of whoever places it, until k42_release() is through. Members may be NULL. */
struct k42_hook {
    /* Both run in the caller's thread, active, as part of the call; they may call other objects. */
    enum k42_verdict (*before)(struct k42_hook *hook, struct k42_invocation *call);
    void (*after)(struct k42_hook *hook, struct k42_invocation *call);
    void *context;
    struct k42_interposer *interposer; /* the runtime's */
};

/*
 * Places a hook on an object. May allocate. Errors: -K42_STALE, -ENOMEM, -EBUSY (a swap is under
 * way: try again when it is over), -EALREADY (this hook is in place somewhere), -ENOTSUP (an atomic
 * interface).
 */
#define k42_interpose(ref, hook) k42_interpose_from(K42_MODULE, (ref), (hook))
K42_EXPORT K42_MUST_CHECK
k42_result k42_interpose_from(struct k42_module *module, k42_ref ref, struct k42_hook *hook);

/*
 * Takes a hook away and waits until no call is inside it; then its memory is the caller's again.
 * Destroying the object takes its hooks away too, after which this returns -K42_STALE and is still
 * the call that waits. Inactive callers only (-EDEADLK). Errors: -EINVAL (not in place).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_release(struct k42_hook *hook);

/* The same without waiting: done(hook) runs on the worker when the memory is free. Any context. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_release_later(struct k42_hook *hook, void (*done)(struct k42_hook *));

#ifdef __cplusplus
}
#endif
#endif
