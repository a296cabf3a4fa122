/*
 * Objects, from the side of whoever implements them: interfaces, roots, representatives, classes.
 *
 * An object is a root and its representatives. The root belongs to the object as a whole; the
 * representatives execute methods: one in all (single), one per CPU, or one per cluster of CPUs.
 * Which of these is a property of the class, and clients never know. Roots and representatives are
 * never reached by clients except through a ref.
 *
 * A class says how its objects are laid out, made, ended, and how their state passes to and from
 * objects of other classes of the same interface. It is declared where it is implemented:
 *
 *     struct counter_plain {                  // a single-representative object
 *         struct k42_root root;
 *         struct counter rep;                 // what refs lead to: begins with the operations
 *         long value;
 *     };
 *     K42_CLASS(counter_plain) = {
 *         .name = "counter.plain", .interface = &counter_interface, .version = 1,
 *         .traits = "sharing=low", .kind = &k42_single,
 *         .root_size = sizeof(struct counter_plain),
 *         .rep_offset = offsetof(struct counter_plain, rep), .ops = &counter_plain_ops,
 *         .transfers = counter_plain_transfers,
 *     };
 */
#ifndef K42_OBJECT_H
#define K42_OBJECT_H

#include <k42/ref.h>

#ifdef __cplusplus
extern "C" {
/* In C a struct and the function that takes it may share a name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

struct k42_class;
struct k42_state;

/* An interface as its header's source file describes it. Identity is (name, version). */
struct k42_interface {
    const char *name;
    uint16_t version;
    uint16_t methods; /* entries of the table of operations, the common ones included */
    uint32_t flags;   /* K42_INTERFACE_ATOMIC */
    const char *const *method_names; /* methods entries, or NULL; host/stubgen writes them */
};

/* Called with preemption off (k42_atomic_begin), never waits, calls only atomic interfaces. */
#define K42_INTERFACE_ATOMIC 1u

#define K42_METHOD_COUNT(ops_type) (sizeof(ops_type) / sizeof(void (*)(void)))

/* Every root begins with this. 16 bytes; the fields are the runtime's. */
struct k42_root {
    struct k42_class *class_;
    k42_id id;     /* where the object can be called; 0 before and after its life */
    uint32_t link; /* queue of the dead */
};

/* Root of a class with several representatives: begins with this instead. */
struct k42_clustered_root {
    struct k42_root root;
    uint32_t lock;
    uint32_t chunks; /* length of `reps`, in chunks */
    void **reps;     /* by cluster number; the runtime's */
};

/* A way of spreading representatives over CPUs; these two are all there are. */
struct k42_root_kind;
K42_EXPORT extern const struct k42_root_kind k42_single;
/* One representative per class->cluster CPUs (1: one per CPU), made at a CPU's first call. */
K42_EXPORT extern const struct k42_root_kind k42_clustered;

/*
 * State transfer. A format is a way of describing an object's state, defined beside the interface;
 * equal names and versions mean the same format. The runtime picks the cheapest one that the old
 * class exports and the new class imports. Every class does its interface's canonical format.
 */
struct k42_format {
    const char *name;
    uint32_t version;
    uint32_t cost; /* relative; by pointer is cheaper than by value */
};

struct k42_transfer {
    const struct k42_format *format; /* NULL ends the list */

    /* Exporter: about how much state there is (elements, bytes: the format says). Calls continue.
     */
    size_t (*measure)(struct k42_root *from);
    /* Importer: allocate what `state->measured` asks for. May wait; calls continue. May be NULL. */
    k42_result (*prepare)(struct k42_root *to, struct k42_state *state);

    /*
     * Run when no call is left in the old object, one after the other for each part, parts in
     * parallel. They call no other object, allocate nothing and do not wait. export_state leaves
     * the old object intact; import_state may fail, and then the old object goes on: -ENOSPC when
     * more came than was prepared for makes the runtime measure, prepare and try again.
     */
    k42_result (*export_state)(struct k42_root *from, struct k42_state *state, unsigned part);
    k42_result (*import_state)(struct k42_root *to, struct k42_state *state, unsigned part);

    /* Exporter: the new object has it; forget what was handed over by pointer. May be NULL. */
    void (*handed_over)(struct k42_root *from, struct k42_state *state);
};

#define K42_STATE_WORDS 8

/* One transfer under way. `word` holds what the format says. */
struct k42_state {
    const struct k42_format *format;
    struct k42_root *from, *to;
    size_t measured;
    unsigned parts;    /* 1 unless the exporter's measure or the importer's prepare raised it */
    unsigned outgrown; /* how often, in this swap, more had come than was prepared for */
    uintptr_t word[K42_STATE_WORDS];
};

/*
 * For an importer's prepare: how many to make room for where `measured` were found. More each time
 * they had become more, so that what grows as fast as it can is overtaken.
 */
static inline size_t k42_state_room(const struct k42_state *state, size_t measured) {
    size_t spare = state->outgrown ? (size_t)4 << (2 * state->outgrown) : 0;
    return (measured << state->outgrown) + spare;
}

struct k42_class_record;

struct k42_class {
    const char *name;                      /* "counter.plain"; same name, other version: upgrade */
    const struct k42_interface *interface; /* what it implements */
    uint32_t version;
    uint32_t cluster;   /* k42_clustered: CPUs per representative; 0 means 1 */
    const char *traits; /* "access=stream sharing=high"; NULL: none */
    const struct k42_root_kind *kind;
    size_t root_size;  /* root and, for a single object, everything */
    size_t rep_offset; /* single: where the representative lies in the root */
    size_t rep_size;   /* clustered: size of each representative */
    const void *ops;   /* put at the head of each representative by the runtime */

    /*
     * Make and end. Memory comes zeroed, with root and operations in place; NULL members are
     * skipped. `args` is what k42_create() was given, or NULL when state is about to be imported.
     * init may wait; init_rep runs inside the miss of a CPU's first call and does not. fini and
     * fini_rep run after a grace period, when nobody can be inside.
     */
    k42_result (*init)(struct k42_root *root, const void *args);
    k42_result (*init_rep)(struct k42_root *root, void *rep, unsigned cpu);
    void (*fini_rep)(struct k42_root *root, void *rep, unsigned cpu);
    void (*fini)(struct k42_root *root);

    const struct k42_transfer *transfers; /* ends with a NULL format; NULL: cannot be swapped */
    struct k42_class_record *record;      /* the runtime's */
};

/* The class a root belongs to (single and clustered alike). */
static inline struct k42_class *k42_root_class(const struct k42_root *root) {
    return root->class_;
}

/* The object's ref, from inside one of its methods; the null ref before and after its life. */
static inline k42_ref k42_root_ref(const struct k42_root *root) {
    return k42_id_ref(__atomic_load_n(&root->id, __ATOMIC_RELAXED));
}

/* From a representative to the object that contains it (single). */
#define k42_container(pointer, type, member)                                                       \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/*
 * Makes an object of a registered class. May wait and allocate; any context that may, attached or
 * not. Errors: -ENOMEM, -ENFILE (max_objects reached), -ENOENT (class not registered), what init
 * returned.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_create(struct k42_class *class_, const void *args, k42_ref *ref);

/*
 * Ends an object. From now on calls answer -K42_STALE; calls under way finish; its memory goes
 * after a grace period. During a swap, the swap first ends and the new object is destroyed. Any
 * context. Errors: -K42_STALE when it is dead or dying already: of several destroyers one succeeds.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_destroy(k42_ref ref);

/*
 * Visits the representatives of a clustered root that exist, in order of their CPUs; for methods
 * that gather from all. Those that are made meanwhile may be missed. Active callers, inside a
 * method of the object; no lock is held while visit runs.
 */
K42_EXPORT void k42_each_rep(struct k42_clustered_root *root,
                             void (*visit)(void *rep, unsigned first_cpu, void *context),
                             void *context);

/* What is known of one object; text is copied. For inspectors. */
struct k42_object_info {
    k42_id id;
    uint32_t version;
    char class_name[48];
    char interface_name[32];
    uint32_t interposers;
    uint32_t swapping;
    uint64_t cpus; /* how many CPUs hold a translation */
    uint32_t clustered;
    uint64_t bytes; /* of the root and, about, its representatives; not what they point to */
};
/* Tells of the object behind a ref. Any context. Errors: -K42_STALE. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_inspect(k42_ref ref, struct k42_object_info *info);

/*
 * Visits live objects of an interface (NULL: of all) by walking the pages of slots, until visit
 * returns nonzero, which it returns. Inactive or active callers; objects made meanwhile may be
 * missed, those destroyed meanwhile may be reported.
 */
K42_EXPORT long k42_each_object(const struct k42_interface *interface_,
                                long (*visit)(const struct k42_object_info *, void *context),
                                void *context);

/* The same from an object's number on. */
K42_EXPORT long k42_each_object_from(k42_id first, const struct k42_interface *interface_,
                                     long (*visit)(const struct k42_object_info *, void *context),
                                     void *context);

/*
 * All of them a piece at a time: visits live objects with numbers from `first` on, on at most
 * `slots` slots, until visit returns nonzero. Returns the number to go on with, which is that of an
 * object that visit returned nonzero for; 0: there are no more.
 */
K42_EXPORT k42_id k42_objects_from(k42_id first, uint32_t slots,
                                   long (*visit)(const struct k42_object_info *, void *context),
                                   void *context);

/* Counters of the runtime, for tests, inspectors and the curious. */
struct k42_stats {
    uint64_t objects, created, destroyed, misses;
    uint64_t swaps, swap_aborts, grace_periods;
    uint64_t defers_pending, mediators_live, roots_live, interposers_live;
    uint64_t bytes_global, bytes_local; /* tables: resident, as accounted by the runtime */
};
/* Reads them, one after the other, while others count on. Any context. */
K42_EXPORT void k42_stats(struct k42_stats *stats);

/*
 * Gives back the memory of a CPU's translation table: the calling thread's own, or one that no
 * thread is attached to. Its slots are found again by misses. Legal at any time, active or not,
 * also under load. Errors: -EINVAL, no such CPU; -EBUSY, another thread is using it.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_trim(uint32_t cpu);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif
#endif
