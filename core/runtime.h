/*
 * The inside of the object runtime: what its files share. Nothing outside core/ includes this.
 *
 * The theory stands in docs/design.md; each file's head says what it owns.
 */
#ifndef K42_CORE_RUNTIME_H
#define K42_CORE_RUNTIME_H

#include "platform.h"
#include "text.h"

#include <errno.h>
#include <k42/interpose.h>
#include <k42/lock.h>
#include <k42/swap.h>
#include <stdbool.h>

#define K42_SLOTS_PER_PAGE 512u
#define K42_CPUS_MAX       65536u
#define K42_INTERFACES_MAX 4096u

#define k42_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define k42_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define k42_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define k42_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

static inline void k42_relax(void) {
    __builtin_ia32_pause();
}

/* Orders everything before against everything after. Not a C fence: ThreadSanitizer has none. */
static inline void k42_full_fence(void) {
    __asm__ volatile("lock orl $0, -4(%%rsp)" ::: "memory", "cc");
}

/* ---- CPUs (cpu.c) ---- */

/* A first-in first-out queue of free ids, linked through their entries. */
struct k42_id_queue {
    k42_id first, last;
    uint32_t count;
};

/* Calls a thread is inside of that went through a stub: for reports, read by other CPUs. */
#define K42_TRACKED_DEPTH 8

/*
 * One attached thread: who it is and what it is inside of. Written by that thread. Reached through
 * the head of its CPU, by one load, since a thread that is not active may be moved at any moment
 * where a platform moves threads.
 */
struct k42_calls {
    struct k42_frame *chain;             /* in-flight records */
    uint64_t tracked[K42_TRACKED_DEPTH]; /* id << 32 | method; read by anyone */
    uint32_t tracked_depth;              /* may exceed the array */
    bool chain_adopted;
    bool service;              /* a worker of the runtime's own */
    uint32_t owner;            /* thread id; 0: nobody, the CPU is parked */
    uint32_t locks;            /* object locks held, in debug builds */
    struct k42_thread *thread; /* what k42_thread_start() made, or NULL */
    char name[16];
    char last_call[32]; /* debug builds: method called last */
};

/*
 * One CPU: lies at the head of its translation table, in the page that holds no slots but slot 0.
 * Written by the threads that run on it, one instruction at a time, unless a member says otherwise.
 */
struct k42_cpu {
    struct k42_cpu_head head;
    struct k42_calls own; /* of the one thread, where a CPU is one */
    uint64_t roots, buried,
        deferred; /* of this CPU's doing: alive; destroyed, not ended; deferred, not run */
    uint64_t created, destroyed, misses; /* counters; read by anyone */
    struct k42_lock ids_lock;            /* guards ids */
    struct k42_id_queue *ids;            /* by interface number */
    struct k42_defer *defers;            /* pushed by anyone, taken by the reclaimer */
    k42_id dead;                         /* likewise: objects to end */
};

extern struct k42_cpu **k42_cpus; /* by number; entries below k42_cpu_limit() never change */

/*
 * The calling thread's CPU, or NULL. What it says may be over at once for a thread that is not
 * active, so such a one changes only what anybody may change.
 */
static inline struct k42_cpu *k42_this_cpu(void) {
    return (struct k42_cpu *)k42_platform_head();
}
/* The calling thread's CPU, or the shared stand-in of threads that have none; never NULL. */
struct k42_cpu *k42_cpu_or_shared(void);
extern struct k42_cpu k42_shared_cpu;
struct k42_cpu_head *k42_cpu_head_of(uint32_t cpu);
int k42_cpus_open(void);
/* After the tables are open: makes the CPUs of a platform that has a fixed number of them. */
int k42_cpus_start(void);
void k42_cpus_close(void);
/* As k42_attach(), for a thread of the runtime's own. */
k42_result k42_attach_service(const char *name);
/* Attached threads, without the runtime's own. */
uint32_t k42_cpus_attached(void);
/* Sum over all CPUs of a counter in struct k42_cpu, given its offset. */
uint64_t k42_cpus_sum(size_t offset);
void k42_cpus_after_fork(void);

/* Who is active on a CPU and what it was last seen doing; for reports. */
struct k42_suspect {
    uint32_t thread;
    char name[16];
    k42_id object;
    char method[32];
};
void k42_cpu_suspect(uint32_t cpu, k42_id object, struct k42_suspect *suspect);
/* A CPU with a tracked call in `object`, or -1. */
int k42_cpu_inside(k42_id object);

/* ---- entries (entry.h has the state word) and tables (table.c) ---- */

struct k42_entry {
    const void *ops; /* the miss stubs: what makes an entry a representative */
    struct k42_root *root;
    uint64_t state;
};

extern struct k42_entry *k42_entries;
extern uint32_t k42_slots_max;

int k42_table_open(uint32_t max_objects);
void k42_table_close(void);
/* An id of the interface, from this CPU's queue. 0 or -ENFILE, -ENOMEM. */
k42_result k42_id_allocate(uint32_t interface_number, k42_id *id);
void k42_id_free(k42_id id);
uint32_t k42_id_interface(k42_id id);
bool k42_id_valid(k42_id id);
/* Points the slots of the CPUs in `touched` back at the entry. */
void k42_slots_empty(k42_id id, uint32_t touched);
/* Pages of slots of an interface, newest first: 0 ends. */
uint32_t k42_page_first(uint32_t interface_number);
uint32_t k42_page_next(uint32_t page);
uint32_t k42_pages_used(void);
/* None of its ids will be used again: with checks there come to be many such. */
bool k42_page_spent(uint32_t page);

/* The next one that may be an object's; behind those of all pages, any. */
static inline k42_id k42_id_after(k42_id id) {
    id++;
    while (id % K42_SLOTS_PER_PAGE == 0 && id < k42_pages_used() * K42_SLOTS_PER_PAGE &&
           k42_page_spent(id / K42_SLOTS_PER_PAGE))
        id += K42_SLOTS_PER_PAGE;
    return id;
}

static inline k42_id k42_entry_id(const struct k42_entry *entry) {
    return (k42_id)(entry - k42_entries);
}

/* ---- roots (root_single.c, root_clustered.c, object.c) ---- */

struct k42_component;

struct k42_root_kind {
    const char *name;
    /* This CPU's representative; idempotent; may allocate, does not wait. */
    k42_result (*find)(struct k42_root *root, uint32_t cpu, void **rep);
    /* Nobody is inside any more: end and free everything. */
    void (*end)(struct k42_root *root);
};

static inline k42_result k42_root_find(struct k42_root *root, uint32_t cpu, void **rep) {
    return root->class_->kind->find(root, cpu, rep);
}

/* Makes a root of a class, not yet reachable; args as k42_create's. */
k42_result k42_root_make(struct k42_class *class_, const void *args, struct k42_root **root);
/*
 * A root to take the place of one of class `from`: one of class `to`, or an adaptor with one behind
 * it when `to` speaks a newer interface. `into` is what imports the state, `held` the adaptor's
 * component, which has the swap on its ledger then, whether this fails or not; or NULL.
 */
k42_result k42_root_replacement(const struct k42_class *from, struct k42_class *to,
                                struct k42_root **root, struct k42_root **into,
                                struct k42_component **held);
/* Ends a root that is unreachable and past its grace period, with the interposers above it. */
void k42_root_end(struct k42_root *root);
/* The bottom of a chain of interposers. */
struct k42_root *k42_root_bottom(struct k42_root *root);

/* Finds the representative for this CPU by the entry, and stores it in the slot. */
k42_result k42_resolve(struct k42_entry *entry, struct k42_cpu *cpu, void **rep);
/* Makes `root` reachable under a new id. */
k42_result k42_publish(struct k42_root *root, k42_ref *ref);
/* Puts a DEAD entry's object in the queue of those to end. */
void k42_bury(k42_id id);

/* ---- calls through stubs (intercept.c) ---- */

struct k42_frame_registers;
struct k42_interceptor {
    const void *ops; /* k42_intercept_ops */
    struct k42_pair (*handle)(struct k42_interceptor *, struct k42_frame_registers *);
};

struct k42_pair k42_invoke(void *rep, const struct k42_frame_registers *call);
void k42_tracked_push(struct k42_calls *calls, k42_id id, unsigned method);
void k42_tracked_pop(struct k42_calls *calls);

/* One tracked call; lies on the caller's stack. */
struct k42_frame {
    struct k42_frame *below;
    struct k42_mediator *mediator;
};

/*
 * Visits live objects of an interface that several CPUs have used since they were redirected last,
 * with numbers from `first` on, on at most `slots` slots. A look at one word for each. Returns the
 * number to go on with; 0: there are no more.
 */
k42_id k42_shared_from(k42_id first, uint32_t slots, const struct k42_interface *interface_,
                       void (*visit)(k42_id id));

/* The name of an object's method for people; writes into `text`. */
void k42_method_name(k42_id id, unsigned method, char *text, size_t size);
/* The same as a string that stays; "method 7" where the interface carries no names. */
const char *k42_method_label(k42_id id, unsigned method);

/* ---- quiescence (quiescence.c) ---- */

int k42_quiescence_open(void);
void k42_quiescence_close(void);
void k42_quiescence_after_fork(void);
/* Looks at one CPU for one waiter: adds to *seen which counts are zero; true when both have been.
 */
bool k42_cpu_observe(uint32_t cpu, uint32_t *seen);
void k42_wait_for(k42_marker marker);
/* One step of waiting politely: spins, then yields, then sleeps; `step` counts from 0. */
void k42_back_off(unsigned step);
extern uint64_t k42_watchdog_ns;
void k42_workers_open(const struct k42_options *options);
uint64_t k42_grace_periods(void);

/* ---- the workers (worker.c): reclaimer and swapper ---- */

void k42_reclaimer_kick(void);
/* One or many, linked from the last to the first: those are made in one batch, as far as it goes.
 */
void k42_worker_submit(struct k42_swap *last, struct k42_swap *first);
void k42_worker_lazy(k42_id id);
void k42_workers_stop(void);
void k42_workers_after_fork(void);
uint64_t k42_defers_pending(void);

/* ---- swap (swap.c, mediator.c, atomic_swap.c) ---- */

struct k42_mediator;
k42_result k42_mediator_find(struct k42_root *root, uint32_t cpu, void **rep);
/* What the entry led to before the mediator, given the mediator's root. */
struct k42_root *k42_mediator_old(struct k42_root *root);

/* ---- interposers (interpose.c) ---- */

struct k42_interposer;
struct k42_root **k42_interposer_target(struct k42_root *root); /* NULL: not an interposer */
void k42_interposer_orphan(struct k42_root *root);

/* ---- classes (interfaces.c, class.c, factory.c, upgrade.c, adaptor.c, component.c) ---- */

struct k42_module;
struct k42_adaptor;
struct k42_upgrade;

/* All versions of a class, and the factory that makes the current one. Lives until shutdown. */
struct k42_family {
    struct k42_family *next;
    char name[48];
    struct k42_class *current;  /* NULL: no version is registered any more */
    struct k42_class *upcoming; /* what the factory makes after its swap */
    k42_ref factory;
    uint32_t upgrading; /* by an upgrade, or by the unloading of a version */
    uint32_t vacant;    /* every version has gone; the factory makes nothing */
};

/* One registered class. */
struct k42_class_record {
    struct k42_class_record *next; /* in order of registration */
    struct k42_class *class_;
    struct k42_family *family;
    struct k42_component *component; /* NULL: the program, or the runtime */
    uint32_t interface_number;
    uint32_t hidden; /* the runtime's own: not chosen, not listed */
    uint64_t swaps;  /* that ended in an instance of it; with the registry locked */
    /* While its component is being unloaded: */
    uint32_t left;        /* the factory has been turned away from it */
    uint32_t leaving;     /* no swap that leads to it begins; with the registry locked */
    uint32_t took_family; /* it holds family->upgrading */
};

extern struct k42_lock k42_registry_lock; /* guards the lists; never held across a call */
extern struct k42_class_record *k42_class_records;

/* Whether a description can be registered, without doing so; -ENOEXEC: `why` says why not. */
k42_result k42_interface_check(const struct k42_interface *interface_, char *why, size_t why_size);
/* The registered twin of a description, by name and version; 0: refused, `why` says it. */
k42_result k42_interface_register(const struct k42_interface *interface_, uint32_t *number,
                                  char *why, size_t why_size);
/* 0: never registered. */
uint32_t k42_interface_number(const struct k42_interface *interface_);
const struct k42_interface *k42_interface_by_number(uint32_t number);
void k42_interfaces_close(void);

uint32_t k42_class_interface_number(const struct k42_class *class_);
bool k42_class_registered(const struct k42_class *class_);
/*
 * Puts a swap, or an upgrade, to this class on its component's ledger, until k42_let_go(*held). The
 * class is found by its address alone, so it may be one that is gone. -ENOENT: it is, or leaving.
 */
k42_result k42_class_hold(const struct k42_class *class_, struct k42_component **held);
/* The same for one that an instance, or the registry's lock, keeps registered. */
struct k42_component *k42_class_hold_record(const struct k42_class_record *record);
void k42_let_go(struct k42_component *held);
/* Whether swaps to a component's classes, and new adaptors of its, are refused. */
void k42_classes_set_leaving(const struct k42_component *component, uint32_t leaving);
/* An object has become an instance of it by a swap. */
void k42_class_note_swap(const struct k42_class *class_);
k42_result k42_class_add(struct k42_class *class_, struct k42_component *component, bool hidden,
                         char *why, size_t why_size);
void k42_class_remove(struct k42_class *class_);
struct k42_family *k42_family_find(const char *name);
k42_result k42_classes_open(void);
void k42_classes_close(void);
void k42_classes_after_fork(void);

k42_result k42_factory_open(void);
k42_result k42_factory_make(struct k42_family *family);
/* Swaps the family's factory for one that makes `class_`; deadline and attempts are those of
 * `terms`, or the usual when NULL. */
k42_result k42_factory_turn(struct k42_family *family, struct k42_class *class_,
                            const struct k42_upgrade *terms, struct k42_swap_report *report);

/* The bottom root of an entry, also through a mediator. For active threads that saw it live. */
struct k42_root *k42_entry_bottom(struct k42_entry *entry);
/* The class of an object, also while it is being swapped; NULL: it is dead. Active callers. */
struct k42_class *k42_class_of(k42_ref ref);
/* Instances of exactly this class; the first one's id in *first. May attach for the while. */
uint64_t k42_class_instances(const struct k42_class *class_, k42_id *first);
/* Makes the thread active for a look round, attaching it if need be. */
struct k42_visit {
    bool attached, entered;
};
k42_result k42_visit_begin(struct k42_visit *visit);
void k42_visit_end(struct k42_visit *visit);

/* What is done to an instance that reached its turn lazily. */
void k42_upgrade_lazy_turn(k42_id id);

/* The adaptor between two interfaces that is not about to go, or NULL. */
struct k42_adaptor *k42_adaptor_find(uint32_t from, uint32_t to);
k42_result k42_adaptor_add(struct k42_adaptor *adaptor, struct k42_component *component, char *why,
                           size_t why_size);
void k42_adaptor_remove(struct k42_adaptor *adaptor);
/* A root of the adaptor with a new object behind it, whose root is `inner`. */
k42_result k42_adaptor_make(struct k42_adaptor *adaptor, struct k42_class *class_, const void *args,
                            struct k42_root **root, struct k42_root **inner);

k42_result k42_modules_register_program(void);
const char *k42_component_name(const struct k42_component *component);
/* What it brought, as long as it is loaded. */
struct k42_module *k42_component_module(const struct k42_component *component);
void k42_components_close(void);

/* Ledgers: a NULL module, or a program's, is not counted. */
enum k42_ledger_entry {
    K42_LEDGER_DEFERS,
    K42_LEDGER_HOOKS,
    K42_LEDGER_THREADS,
    K42_LEDGER_RUNS,  /* policies: somebody has it loaded for as long as he runs */
    K42_LEDGER_SWAPS, /* under way, of objects that are, or become, instances of its classes */
    K42_LEDGER_KINDS
};
void k42_ledger_add(struct k42_module *module, enum k42_ledger_entry entry, long change);
void k42_ledger_count(struct k42_component *component, enum k42_ledger_entry entry, long change);

/* ---- counters that are not per CPU ---- */

struct k42_counters {
    uint64_t swaps, swap_aborts, mediators_live, interposers_live;
};
extern struct k42_counters k42_counters;
static inline void k42_count(uint64_t *counter, long change) {
    __atomic_fetch_add(counter, (uint64_t)change, __ATOMIC_RELAXED);
}

#endif
