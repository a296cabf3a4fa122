/*
 * Components: code loaded into a running program, and taken out again.
 *
 * On a Linux host a component is a shared object, for the kernel one that ./k42 build made. Loading
 * registers its classes and adaptors; everything it owns is in its ledger: classes, instances,
 * threads, defers, hooks, swaps on request. Unloading refuses new ones, stops its threads, lets
 * defers run, waits a grace period and removes the code; a busy unload names the entry that keeps
 * it.
 */
#ifndef K42_COMPONENT_H
#define K42_COMPONENT_H

#include <k42/class.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In one file of a component: K42_COMPONENT("name"); */
#define K42_COMPONENT(name_)                                                                       \
    __attribute__((constructor(101))) static void k42_name_this_module_(void) {                    \
        k42_this_module.name = (name_);                                                            \
    }                                                                                              \
    _Static_assert(1, "")

/*
 * For a component that does something by itself, with threads or hooks of its own. start_() runs
 * when its classes are registered; an error ends the load. stop_() runs when it is to be unloaded,
 * before anything is looked at: it takes away what would keep it. When it is kept nevertheless,
 * start_() runs again. Both run one at a time, attached or not, inactive, and may wait; they load
 * and unload nothing.
 */
#define K42_COMPONENT_STARTS(start_, stop_)                                                        \
    __attribute__((constructor(101))) static void k42_name_starts_(void) {                         \
        k42_this_module.start = (start_);                                                          \
        k42_this_module.stop = (stop_);                                                            \
    }                                                                                              \
    _Static_assert(1, "")

struct k42_component;

/*
 * Loads a component. `why` (may be NULL) receives a sentence on failure: which class, which
 * interface, what was expected, what would work. After a failure nothing is registered.
 * Errors: -ENOENT, -ENOEXEC (not a component; other flavour; interface size or version differs),
 * -EEXIST (class and version already there, or the component is loaded). Inactive callers only
 * (-EDEADLK).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_component_load(const char *path, struct k42_component **component, char *why,
                              size_t why_size);

/*
 * The same from the bytes of such a file, which may go when this returns; `name` is what messages
 * call them. In a kernel, which opens no files here, this is the only way. Further errors there:
 * -ENOKEY (not signed), -EKEYREJECTED (signed by somebody else, or changed since), -ENOMEM.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_component_load_image(const char *name, const void *image, size_t size,
                                    struct k42_component **component, char *why, size_t why_size);

/*
 * Unloads it. Waits up to a grace period plus the outstanding defers. Errors: -EBUSY, with `why`
 * naming what keeps it ("2 instances of class counter.fast version 2, the first is object 517", or
 * an upgrade under way), and everything stays usable, but threads that were stopped; -EDEADLK.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_component_unload(struct k42_component *component, char *why, size_t why_size);

/*
 * The same, but first its instances are swapped to the class `to`, of another component or the
 * program's, which stays registered meanwhile; no swap that leads to its classes begins from then
 * on, so that nobody who chooses classes by himself keeps it. `to` may be NULL. Further errors: a
 * swap's, with `why` naming the object; those that were swapped before it stay of class `to`.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_component_unload_to(struct k42_component *component, struct k42_class *to, char *why,
                                   size_t why_size);

/*
 * A component by name, or NULL; one of its classes by name, or NULL. Any context, under no lock;
 * what is returned lasts until somebody unloads the component.
 */
K42_EXPORT struct k42_component *k42_component_find(const char *name);
K42_EXPORT struct k42_class *k42_component_class(struct k42_component *component, const char *name);

/*
 * A thread on the component's ledger: attached, inactive, runs fn(context) until it returns; `name`
 * (copied) appears in reports. May wait and allocate; NULL: there is no memory for it, or the
 * system has no thread to give.
 */
struct k42_thread;
#define k42_thread_start(name, fn, context)                                                        \
    k42_thread_start_from(K42_MODULE, (name), (fn), (context))
K42_EXPORT struct k42_thread *k42_thread_start_from(struct k42_module *module, const char *name,
                                                    void (*fn)(void *), void *context);
/* For such a thread: whether it is to return soon. In any other thread never true. */
K42_EXPORT int k42_thread_should_stop(void);
/* Sleeps for `ns` nanoseconds, or until the thread is to stop. Inactive callers only. */
K42_EXPORT void k42_thread_sleep(uint64_t ns);
/* Asks it to stop and waits for its end; then `thread` is no more. Inactive callers only, once. */
K42_EXPORT void k42_thread_join(struct k42_thread *thread);

/* What a component owns. */
struct k42_ledger {
    char name[32];
    uint64_t classes, instances, threads, defers, hooks, events;
};
/* Reads it while others write on. Any context, under no lock. */
K42_EXPORT void k42_component_ledger(struct k42_component *component, struct k42_ledger *ledger);

#ifdef __cplusplus
}
#endif
#endif
