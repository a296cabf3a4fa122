/*
 * Refs and calls: how a client names an object and reaches it.
 *
 * A ref is a typed pointer to a slot of the calling thread's translation table, so the same value
 * means the same object in every thread while each thread finds its own representative. A call is
 * three instructions: load the slot, load its operations, call. A slot that holds nothing yet
 * points at the object's global entry, whose "operations" are the miss stubs, so no call tests for
 * NULL.
 *
 * Context: refs are used between k42_enter() and k42_exit() only. A dead ref answers -K42_STALE;
 * the null ref is valid and always stale.
 */
#ifndef K42_REF_H
#define K42_REF_H

#include <k42/base.h>
#include <k42/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Declares `name_ref` for an interface whose representatives are `struct name`. */
#define K42_DECLARE_REF(name) typedef struct name *K42_SEG *name##_ref

/* Declares one method of an interface, inside its struct of operations. */
#define K42_METHOD(name)                                                                           \
    K42_MUST_CHECK                                                                                 \
    k42_result(*name)
#define K42_METHOD_PAIR(name)                                                                      \
    K42_MUST_CHECK                                                                                 \
    struct k42_pair(*name)

/* The most methods one interface may have, those of k42_object_ops included. */
#define K42_MAX_METHODS 128

struct k42_object;

/* What every object can do; the first member of every interface's operations. */
struct k42_object_ops {
    /*
     * Writes one line about the object's state for a person; returns its length. Never waits.
     */
    K42_METHOD(describe)
    (struct k42_object *self, K42_OUT K42_BUF(size, 4096) char *text, size_t size);
};

struct k42_ops {
    struct k42_object_ops object;
};

struct k42_object {
    const struct k42_ops *ops;
};

/* A ref of whatever interface. */
K42_DECLARE_REF(k42_object);
typedef k42_object_ref k42_ref;

/* An object's number: what a ref is to programs, traces and people. 0 is the null ref. */
typedef uint32_t k42_id;

#define K42_NULL_REF ((k42_ref)0)

/* The number of an object, from its ref, and back. Neither looks whether there is one. Any context.
 */
static inline k42_id k42_ref_id(k42_ref ref) {
    return (k42_id)((uintptr_t)ref / sizeof(void *));
}

static inline k42_ref k42_id_ref(k42_id id) {
    return (k42_ref)((uintptr_t)id * sizeof(void *));
}

/* The number of an object, from a ref of any interface. */
#define k42_id_of(ref) k42_ref_id((k42_ref)(ref))

/*
 * The representative behind a ref, for this thread, now. What it returns may be a stub that finds
 * or mediates; only k42_call should use it.
 */
#if K42_TLS
#define k42_load(ref)                                                                              \
    __atomic_load_n((__typeof__(ref))(void *)(k42_tls_base + (uintptr_t)(ref)), __ATOMIC_ACQUIRE)
#elif defined(__cplusplus) || defined(__clang__) || defined(__SANITIZE_ADDRESS__) ||               \
    defined(__SANITIZE_THREAD__)
/*
 * Load by hand: sanitizers take a %gs offset for an address, g++ has no __seg_gs, and clang takes a
 * constant null ref for undefined behaviour.
 */
#define k42_load(ref)                                                                              \
    __extension__({                                                                                \
        __typeof__(&**(ref)) k42_loaded_;                                                          \
        __asm__ volatile("mov %%gs:(%1), %0" : "=r"(k42_loaded_) : "r"((uintptr_t)(ref)));         \
        k42_loaded_;                                                                               \
    })
#else
#define k42_load(ref) (*(ref))
#endif

#ifdef __cplusplus
#define K42_AUTO auto
#else
#define K42_AUTO __auto_type
#endif

/*
 * Calls a method: k42_call(ref, method, arguments...). The value is what the method returns.
 *
 * Do not nest one call in the arguments of another when the inner one may leave the generation: the
 * outer representative is loaded first (-Wshadow finds it).
 */
#define k42_call(ref, method, ...)                                                                 \
    __extension__({                                                                                \
        K42_AUTO k42_self_ = k42_load(ref);                                                        \
        K42_CHECK_CALL(#method);                                                                   \
        k42_self_->ops->method(k42_self_ __VA_OPT__(, ) __VA_ARGS__);                              \
    })

/* Calls a method of k42_object_ops on a ref of any interface. */
#define k42_call_object(ref, method, ...) k42_call((k42_ref)(ref), object.method, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
