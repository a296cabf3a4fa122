/*
 * Classes at run time: registration, factories, choosing by traits, upgrade, adaptors.
 *
 * A class stands in the ELF section "k42_classes" of the program or component that defines it and
 * is registered when that is loaded. All versions of a class share one factory object; creating
 * through the factory always makes the current version. Upgrade swaps the factory, then the
 * instances.
 */
#ifndef K42_CLASS_H
#define K42_CLASS_H

#include <k42/swap.h>

#ifdef __cplusplus
extern "C" {
/* In C a struct and the function that takes it may share a name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/* ---- declaration, at file scope: K42_CLASS(symbol) = { ... }; ----------------------------------
 */

struct k42_trace_event;

/* What a program or component brings along; one in each, made by including this header. */
struct k42_module {
    const char *name; /* K42_COMPONENT's, or NULL for a program */
    const char *flavour;
    struct k42_class **classes, **classes_end;
    struct k42_adaptor **adaptors, **adaptors_end;
    struct k42_trace_event **events, **events_end;
    long (*start)(void); /* K42_COMPONENT_STARTS's, or NULL; as is stop */
    void (*stop)(void);
    struct k42_module *next; /* the runtime's, from here on */
    struct k42_component *component;
    uint32_t registered;
};
/* Called for each module as it is loaded, by what this header puts into it; by nobody else. */
K42_EXPORT void k42_module_register(struct k42_module *module);

/* gcc's AddressSanitizer puts no redzones into named sections; clang's must be told. */
#ifdef __clang__
#define K42_NO_REDZONE no_sanitize("address")
#else
#define K42_NO_REDZONE
#endif

#define K42_SECTION_ITEM(type, symbol, section_name)                                               \
    static type *const symbol##_item                                                               \
        __attribute__((section(section_name), used, K42_NO_REDZONE)) = &symbol

#define K42_CLASS(symbol)                                                                          \
    extern struct k42_class symbol;                                                                \
    K42_SECTION_ITEM(struct k42_class, symbol, "k42_classes");                                     \
    struct k42_class symbol

#define K42_ADAPTOR(symbol)                                                                        \
    extern struct k42_adaptor symbol;                                                              \
    K42_SECTION_ITEM(struct k42_adaptor, symbol, "k42_adaptors");                                  \
    struct k42_adaptor symbol

/* ---- finding
 * ------------------------------------------------------------------------------------- */

/* The current version of a class by name, or NULL. Any context. */
K42_EXPORT struct k42_class *k42_class_find(const char *name);

/*
 * The class of an interface that fits the wanted traits best: "access=stream sharing=high". Each
 * trait that agrees counts for it, each that contradicts rules it out; among equals the one with
 * fewer further traits, then the earlier registered. Any context, under no lock. Errors: -ENOENT;
 * -EINVAL (traits malformed).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_select(const struct k42_interface *interface_, const char *traits,
                      struct k42_class **found);

/*
 * Whether objects of a class can become those of another (or of itself) of the same interface:
 * whether the one exports a format that the other imports. Any context.
 */
K42_EXPORT int k42_class_can_become(const struct k42_class *from, const struct k42_class *to);

struct k42_class_info {
    struct k42_class *class_;
    const char *component; /* NULL: the program */
    k42_ref factory;
    uint64_t instances;
    int current;    /* what the factory makes now */
    uint64_t swaps; /* objects that became instances of it while they were used */
};
/*
 * Visits every registered class until visit returns nonzero, which it returns; no lock is held
 * while visit runs, so classes that come or go meanwhile may be missed or told twice. Any context,
 * under no lock.
 */
K42_EXPORT long k42_each_class(long (*visit)(const struct k42_class_info *, void *context),
                               void *context);

/*
 * Registers a class by hand (those in the section need not), for the program's whole life. May wait
 * and allocate. Errors as k42_component_load's, with a sentence in `why` (may be NULL).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_class_register(struct k42_class *class_, char *why, size_t why_size);

/* ---- factories: objects that make objects -------------------------------------------------------
 */

struct k42_factory;
/* Makes objects of one class, always of its current version. */
struct k42_factory_ops {
    struct k42_object_ops object;
    /*
     * Makes an instance of the current version. `interface_` is what the caller was compiled
     * against: when the current version speaks a newer one, the ref returned is an adaptor's.
     * Errors: those of k42_create; -ENOTSUP when no adaptor bridges the interfaces.
     */
    K42_METHOD(create)
    (struct k42_factory *self, K42_LOCAL const struct k42_interface *interface_,
     K42_LOCAL const void *args, K42_OUT k42_ref *ref);
    /* The class made now. */
    K42_METHOD(current)(struct k42_factory *self, K42_LOCAL struct k42_class **class_);
};
struct k42_factory {
    const struct k42_factory_ops *ops;
};
K42_DECLARE_REF(k42_factory);
K42_EXPORT extern const struct k42_interface k42_factory_interface;

/* The factory of a class by name. Any context, under no lock. Errors: -ENOENT. */
K42_EXPORT K42_MUST_CHECK
k42_result k42_factory_find(const char *class_name, k42_factory_ref *factory);

/*
 * Makes an object of the current version of a class, whichever version is named: what its factory
 * makes for callers of its interface. Who makes objects that may be upgraded makes them so. Active
 * callers only. Errors: -ENOENT (class not registered), -K42_STALE (at shutdown), the factory's.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_make(struct k42_class *class_, const void *args, k42_ref *ref);

/* ---- upgrade
 * --------------------------------------------------------------------------------------- */

enum k42_upgrade_mode {
    K42_UPGRADE_EAGER, /* convert every instance now, in batches that share grace periods */
    /* Convert each at its first use from now on, in the background; held up: at a later use. */
    K42_UPGRADE_LAZY,
    K42_UPGRADE_NEW_ONLY, /* leave the old ones as they are */
};

struct k42_upgrade {
    struct k42_class *to; /* the version to have from now on, older or newer than what is */
    enum k42_upgrade_mode mode;
    uint32_t batch;       /* instances per grace period; 0: 1024 */
    uint64_t deadline_ns; /* per swap, the factory's too; 0: K42_SWAP_DEADLINE_NS */
    uint32_t attempts;    /* per swap likewise; 0: 8 */
    /* Called between batches; nonzero aborts: instances converted so far stay converted. */
    int (*progress)(struct k42_upgrade *upgrade);
    void *context;
    /* results */
    uint64_t total, converted, failed, vanished; /* vanished: destroyed before their turn */
    int aborted;
    struct k42_swap_report last_failure;
};

/*
 * Swaps the factory of the class named to->name to make `to`, then converts instances. Inactive
 * callers only (-EDEADLK). Errors: -ENOENT, -ENOTSUP (no common format, or no adaptor between the
 * interfaces), -ETIMEDOUT (a create holds the factory up; last_failure says which), -EBUSY (an
 * upgrade of this class, or the unload of a version, is under way), -ECANCELED (progress said so),
 * -EIO (some instances would not convert; counts say how many). Lazy: returns once all are marked.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_upgrade(struct k42_upgrade *upgrade);

/* ---- adaptors: a caller of one interface version on an object of another ------------------------
 */

/*
 * Bridges interface `from` (what callers were compiled against) to `to` (what new objects speak).
 * `ops` implements from's methods; each finds the real object with k42_adapted().
 */
struct k42_adaptor {
    const struct k42_interface *from, *to;
    const void *ops;
    struct k42_class *class_; /* the runtime's */
    struct k42_adaptor *next;
};

/* In an adaptor's method: the ref of the object behind it. */
K42_EXPORT k42_ref k42_adapted(const void *self);

/*
 * The ref by which a caller of `interface_` reaches this object: the same one, or the one behind
 * its adaptor. Errors: -K42_STALE, -ENOTSUP. Active callers only.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_ref_as(k42_ref ref, const struct k42_interface *interface_, k42_ref *found);

/* ---- the module's own record, one per program or component
 * --------------------------------------- */

/*
 * Where the linker put them: its own names, since gcc forgets that a symbol is hidden when it is
 * given a name by asm; a library without a section would then find the program's.
 */
#define K42_SECTION_BOUNDS(type, section)                                                          \
    extern type *__start_##section[] __attribute__((weak, visibility("hidden")));                  \
    extern type *__stop_##section[] __attribute__((weak, visibility("hidden")))
K42_SECTION_BOUNDS(struct k42_class, k42_classes);
K42_SECTION_BOUNDS(struct k42_adaptor, k42_adaptors);
K42_SECTION_BOUNDS(struct k42_trace_event, k42_trace_events);

#ifndef K42_NO_MODULE
__attribute__((weak, visibility("hidden"))) struct k42_module k42_this_module;

/* Runs before main or inside dlopen, once per file that includes this; the first one counts. */
__attribute__((constructor)) static void k42_register_this_module_(void) {
    if (k42_this_module.registered)
        return;
    k42_this_module.flavour = K42_FLAVOUR;
    k42_this_module.classes = __start_k42_classes;
    k42_this_module.classes_end = __stop_k42_classes;
    k42_this_module.adaptors = __start_k42_adaptors;
    k42_this_module.adaptors_end = __stop_k42_adaptors;
    k42_this_module.events = __start_k42_trace_events;
    k42_this_module.events_end = __stop_k42_trace_events;
    k42_module_register(&k42_this_module);
}
#endif

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif
#endif
