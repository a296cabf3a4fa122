/*
 * Threads and quiescence: who may call objects, and when what they saw may be freed.
 *
 * A thread that calls objects is attached: it has a CPU number, a translation table and counters of
 * its own. (On a Linux host a "CPU" of the runtime is one attached thread.) It is active between
 * k42_enter() and k42_exit(). Whatever was unpublished while a thread was active is freed only
 * after that thread has left or reached a safe point; that is a grace period.
 *
 * How it works. Each CPU has a generation number and two counts of active threads, one per parity.
 * Entering counts up the parity of the current generation, leaving counts the same one down; both
 * are plain read-modify-writes of memory that only this CPU writes. A grace period first makes
 * every CPU pass a full barrier (so that an entry is either seen, or sees what was unpublished),
 * then waits until it has seen each of the two counts of each CPU at zero, advancing the generation
 * of a CPU whose older count is zero so that new entries cannot keep the other one up for ever.
 *
 * Where several threads take turns on a CPU (in a kernel), `parity` and `calls` are the running
 * thread's, exchanged when another one runs. An active thread stays on its CPU. One that enters may
 * be moved until it has stored its parity, which therefore comes before the count, and after the
 * count on the way out: wherever it is moved, it is counted down where it was counted up.
 *
 * Everything here is local to the calling thread unless it says otherwise.
 */
#ifndef K42_THREAD_H
#define K42_THREAD_H

#include <k42/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The head of a CPU's translation table: slot 0, then the counters. Laid down here because enter
 * and exit are inline; nothing but this file and the runtime may touch it.
 */
struct k42_cpu_head {
    void *stale_slot;    /* slot 0: the null ref's, always stale */
    uint64_t generation; /* only its parity matters to entry; written by grace periods */
    uint64_t active[2];  /* threads active in either parity; written by this CPU only */
    uint64_t parity;     /* where the running thread was counted, or K42_INACTIVE */
    struct k42_cpu_head *self;
    struct k42_calls *calls; /* what the running thread is inside of */
    uint32_t number;
    uint32_t in_atomic; /* depth of atomic sections; written by this CPU only */
};

/* The parity of a thread that is not active. */
#define K42_INACTIVE 2

#if K42_TLS
K42_EXPORT extern __thread char *k42_tls_base __attribute__((tls_model("initial-exec")));
#endif

struct k42_options {
    uint32_t max_objects; /* address space reserved, not memory; 0: 16 million */
    /* A grace period for which somebody could wait longer than this is reported; 0: one second. */
    uint64_t watchdog_ns;
    void (*log)(const char *line); /* where messages for people go; NULL: standard error */
    uint64_t gather_ns; /* what is destroyed or deferred is gathered for so long before a grace
                           period begins for it; 0: one begins at once */
};

/*
 * Starts the runtime. Call once, before any thread attaches; `options` may be NULL.
 *
 * Errors: -EALREADY; -EBUSY when %gs is in use by something else in the process (use the TLS
 * flavour); -ENOSYS when the kernel lacks membarrier or the flavours of program and library differ;
 * -ENOMEM. A line on the log says which and what to do. Must not be called from an attached thread.
 */
#define k42_init(options) k42_init_flavour((options), K42_FLAVOUR)
K42_EXPORT K42_MUST_CHECK
k42_result k42_init_flavour(const struct k42_options *options, const char *flavour);

/*
 * Ends the runtime: waits for deferred work, stops the worker, gives its memory back. Every thread
 * must have detached. Errors: -EBUSY and a line on the log that names what is still there (attached
 * threads; objects are destroyed).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_shutdown(void);

/*
 * Attaches the calling thread; `name` (copied, may be NULL) appears in reports. May wait and
 * allocate. Errors: -EALREADY; -EBUSY when this thread's %gs belongs to something else; -ENOMEM;
 * -EINVAL before k42_init. A thread started by an attached one inherits its %gs and must attach all
 * the same before its first call.
 *
 * In a kernel every thread is attached at all times, to the CPU it runs on: attaching gives it a
 * name, is never -EALREADY, and detaching changes nothing.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_attach(const char *name);

/* Detaches the calling thread. Errors: -EINVAL when not attached, -EBUSY when active. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_detach(void);

/* True when the calling thread is attached; false in one that only inherited %gs. Any context. */
K42_EXPORT int k42_attached(void);
/* True when the calling thread is attached and active. Any context. */
K42_EXPORT int k42_active(void);

/* What debug builds ask before they enter, leave and call: reports misuse (not attached, entered
 * twice, left without entering) and aborts. */
K42_EXPORT void k42_check_enter(void);
K42_EXPORT void k42_check_exit(void);
K42_EXPORT void k42_check_call(const char *method);

#ifdef K42_DEBUG
#define K42_CHECK_CALL(method) k42_check_call(method)
#else
#define K42_CHECK_CALL(method) ((void)0)
#endif

#if K42_TLS
static inline struct k42_cpu_head *k42_head(void) {
    return (struct k42_cpu_head *)(void *)k42_tls_base;
}
#endif

/*
 * Becomes active. Not nested. Costs one read-modify-write of this CPU's own memory.
 */
static inline __attribute__((always_inline)) void k42_enter(void) {
#ifdef K42_DEBUG
    k42_check_enter();
#endif
#if K42_TLS
    struct k42_cpu_head *head = k42_head();
    uint64_t parity = __atomic_load_n(&head->generation, __ATOMIC_ACQUIRE) & 1;
    head->parity = parity;
    __atomic_store_n(&head->active[parity], head->active[parity] + 1, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
    uint64_t parity;
    __asm__ volatile("mov %%gs:8, %0\n\t"
                     "and $1, %k0\n\t"
                     "mov %0, %%gs:32\n\t"
                     "incq %%gs:16(,%0,8)"
                     : "=&r"(parity)
                     :
                     : "memory", "cc");
#endif
}

/* Stops being active: refs and representatives read since k42_enter() are not used any more. */
static inline __attribute__((always_inline)) void k42_exit(void) {
#ifdef K42_DEBUG
    k42_check_exit();
#endif
#if K42_TLS
    struct k42_cpu_head *head = k42_head();
    uint64_t parity = head->parity;
    __atomic_store_n(&head->active[parity], head->active[parity] - 1, __ATOMIC_RELEASE);
    head->parity = K42_INACTIVE;
#else
    uint64_t parity;
    __asm__ volatile("mov %%gs:32, %0\n\t"
                     "decq %%gs:16(,%0,8)\n\t"
                     "movq $2, %%gs:32"
                     : "=&r"(parity)
                     :
                     : "memory", "cc");
#endif
}

/*
 * Says that nothing read before is in use any more, without leaving. For long loops: cheap enough
 * to stand in each turn, since it only leaves and enters when a grace period has advanced this CPU.
 */
static inline __attribute__((always_inline)) void k42_safe_point(void) {
#if K42_TLS
    struct k42_cpu_head *head = k42_head();
    if ((__atomic_load_n(&head->generation, __ATOMIC_ACQUIRE) & 1) == head->parity)
        return;
#else
    uint64_t moved;
    __asm__ volatile("mov %%gs:8, %0\n\t"
                     "xor %%gs:32, %0\n\t"
                     "and $1, %k0"
                     : "=&r"(moved)
                     :
                     : "memory", "cc");
    if (__builtin_expect(!moved, 1))
        return;
#endif
    k42_exit();
    k42_enter();
}

/*
 * Brackets calls of atomic interfaces: while inside, this CPU cannot be part of a rendezvous, so no
 * atomic object is swapped under it. Bounded work only: no waiting, and calls of atomic interfaces
 * alone. Nests. Must be active.
 */
K42_EXPORT void k42_atomic_begin(void);
K42_EXPORT void k42_atomic_end(void);

/*
 * Deferred work: fn(defer) runs on the runtime's worker, attached and inactive, after a grace
 * period. The struct is the caller's, untouched until fn runs; usually it lies in what is freed.
 * Any context, also under a lock; attached or not. A component's outstanding defers keep it loaded.
 */
struct k42_module;
struct k42_defer {
    struct k42_defer *next;
    void (*fn)(struct k42_defer *);
    struct k42_module *module;
};
K42_EXPORT void k42_defer_from(struct k42_module *module, struct k42_defer *defer,
                               void (*fn)(struct k42_defer *));
#define k42_defer(defer, fn) k42_defer_from(K42_MODULE, (defer), (fn))

/* The component (or program) this code is part of; its ledger. See component.h. */
extern struct k42_module k42_this_module __attribute__((visibility("hidden"), weak));
#define K42_MODULE (&k42_this_module)

/*
 * Waits for a grace period. The caller must be inactive (attached or not): -EDEADLK otherwise.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_synchronize(void);

/* Waits until every k42_defer() made before has run. Inactive callers only: -EDEADLK otherwise. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_defer_flush(void);

/* A moment: elapsed when every thread active at it has left or reached a safe point. Neither waits.
 * Any context. */
typedef uint64_t k42_marker;
K42_EXPORT k42_marker k42_mark(void);
K42_EXPORT int k42_elapsed(k42_marker marker);

/*
 * The same for one CPU. k42_cpu_mark() makes that CPU pass a barrier; k42_cpu_elapsed() looks, and
 * helps its generation on; neither waits. -EINVAL for a CPU that never existed.
 */
struct k42_cpu_marker {
    uint32_t cpu;
    uint32_t seen; /* which parities have been seen at zero */
};
K42_EXPORT K42_MUST_CHECK
k42_result k42_cpu_mark(struct k42_cpu_marker *marker, uint32_t cpu);
K42_EXPORT int k42_cpu_elapsed(struct k42_cpu_marker *marker);

/* This thread's CPU number, or -1 when it is not attached. */
K42_EXPORT int k42_cpu(void);
/* One more than the highest CPU number ever used. */
K42_EXPORT uint32_t k42_cpu_limit(void);

/*
 * Call chains. A call's in-flight records hang off its chain, by which a thread is known as one
 * that is already inside an object being swapped. A thread that works for a waiting caller (a
 * server's) adopts the caller's chain for that time, so that recursion through it is recognised
 * too. The lender must wait, and stay active, until the chain has been given back. Errors: -EBUSY
 * when the adopter is inside calls of its own, -EINVAL when it is not attached.
 */
struct k42_frame;
/* The calling thread's chain; NULL: it is inside no call that is recorded. Any context. */
K42_EXPORT struct k42_frame *k42_chain(void);
K42_EXPORT K42_MUST_CHECK
k42_result k42_chain_adopt(struct k42_frame *chain);
/* Gives an adopted chain back; does nothing without one. */
K42_EXPORT void k42_chain_return(void);

#ifdef __cplusplus
}
#endif
#endif
