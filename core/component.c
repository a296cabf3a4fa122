/*
 * Components: loading and unloading code, by its ledger.
 *
 * A component's classes and adaptors are registered from its ELF sections; its constructor hands
 * its module to us inside the loading call. What it owns is counted where it comes and goes;
 * instances are counted by walking. Unloading checks everything that can keep it before it changes
 * anything, then closes its factories, stops its threads, lets defers run, and looks once more.
 *
 * Owns: the list of components. Locking: `loading` serialises load and unload, and is held while
 * threads, swaps and deferred calls of a component end, so none of these may need it; `list_lock`
 * guards the list for whoever looks. Fails: with a sentence in `why`, and then everything is as it
 * was, but for threads that have been stopped.
 */
#include "component.h"

#include "entry.h"
#include "events.h"
#include "trace/trace.h"

static struct k42_lock loading, list_lock;
static struct k42_component *components;
static struct k42_module *arrived;  /* handed in by constructors, not looked at yet */
static struct k42_module *programs; /* those that are part of the program */

void k42_module_register(struct k42_module *module) {
    module->registered = 1;
    module->next = k42_load_relaxed(&arrived);
    while (!__atomic_compare_exchange_n(&arrived, &module->next, module, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
}

const char *k42_component_name(const struct k42_component *component) {
    return component ? component->name : NULL;
}

/* Who finds a count at zero sees what was done by those that were counted. */
void k42_ledger_count(struct k42_component *component, enum k42_ledger_entry entry, long change) {
    if (component)
        __atomic_fetch_add(&component->counts[entry], change, __ATOMIC_ACQ_REL);
}

void k42_ledger_add(struct k42_module *module, enum k42_ledger_entry entry, long change) {
    k42_ledger_count(module ? module->component : NULL, entry, change);
}

/* ---- registering what a module brings ---- */

static void module_unregister(struct k42_module *module) {
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        if ((*c)->record && (*c)->record->component == module->component)
            k42_class_remove(*c);
    for (struct k42_adaptor **a = module->adaptors; a < module->adaptors_end; a++)
        k42_adaptor_remove(*a);
    k42_trace_unregister(module->events, module->events_end);
}

static k42_result module_add(struct k42_module *module, char *why, size_t why_size) {
    k42_result result = 0;
    if (!k42_text_equal(module->flavour, K42_FLAVOUR)) {
        k42_format_text(why, why_size,
                        "it was compiled for the %s flavour of libk42 and this program uses %s",
                        module->flavour, K42_FLAVOUR);
        return -ENOEXEC;
    }
    k42_trace_register(module->events, module->events_end);
    for (struct k42_adaptor **a = module->adaptors; !result && a < module->adaptors_end; a++)
        result = k42_adaptor_add(*a, module->component, why, why_size);
    for (struct k42_class **c = module->classes; !result && c < module->classes_end; c++)
        result = k42_class_add(*c, module->component, false, why, why_size);
    return result;
}

k42_result k42_modules_register_program(void) {
    struct k42_module *module = __atomic_exchange_n(&arrived, NULL, __ATOMIC_ACQUIRE);
    while (module) {
        struct k42_module *next = module->next;
        module->next = programs;
        programs = module;
        module = next;
    }
    for (module = programs; module; module = module->next) {
        char why[256] = "out of memory";
        k42_result result = module_add(module, why, sizeof why);
        if (result < 0) {
            k42_log("init: %s", why);
            return result;
        }
    }
    return 0;
}

/* ---- loading ---- */

static void component_remove(struct k42_component *component);
static k42_result component_close(struct k42_component *component, char *why, size_t why_size);

/* One that does not start has not been loaded. What it began all the same may keep it. */
static k42_result component_start(struct k42_component *component, char *why, size_t why_size) {
    char unread[8];
    k42_result result = component->module->start ? component->module->start() : 0;
    if (result >= 0)
        return 0;
    k42_format_text(why, why_size, "component %s does not start: %s", component->name,
                    k42_error_name(result));
    if (!component_close(component, unread, sizeof unread))
        component_remove(component);
    return result;
}

/* No constructor handed in a module: it has run before, or there is none. */
static k42_result no_module(const struct k42_component *component, const char *path, char *why,
                            size_t why_size) {
    for (const struct k42_component *other = components; other; other = other->next)
        if (other->handle == component->handle) {
            k42_format_text(why, why_size, "%s is loaded already, as component %s", path,
                            other->name);
            return -EEXIST;
        }
    k42_format_text(why, why_size,
                    "%s is not a component: no file of it includes <k42/component.h>", path);
    return -ENOEXEC;
}

static k42_result component_adopt(struct k42_component *component, const char *path, char *why,
                                  size_t why_size) {
    struct k42_module *module = __atomic_exchange_n(&arrived, NULL, __ATOMIC_ACQUIRE);
    if (!module)
        return no_module(component, path, why, why_size);
    component->module = module;
    module->component = component;
    k42_copy_text(component->name, sizeof component->name, module->name ? module->name : path);
    k42_result result = module_add(module, why, why_size);
    if (result < 0) {
        /* Somebody may have found a factory in between: it must not lead to code that goes. */
        char unread[8];
        (void)!k42_component_close_factories(component, unread, sizeof unread);
        (void)!k42_synchronize();
        module_unregister(module);
    }
    return result;
}

static k42_result component_open(const struct k42_module_source *source,
                                 struct k42_component **loaded, char *why, size_t why_size) {
    struct k42_component *component = k42_platform_alloc(sizeof *component);
    if (!component) {
        k42_format_text(why, why_size, "cannot load %s: out of memory", source->path);
        return -ENOMEM;
    }
    k42_result result = k42_platform_module_open(source, &component->handle, why, why_size);
    if (!result) {
        result = component_adopt(component, source->path, why, why_size);
        if (result < 0)
            k42_platform_module_close(component->handle);
    }
    if (result < 0) {
        k42_platform_free(component);
        return result;
    }
    k42_lock(&list_lock);
    component->next = components;
    components = component;
    k42_unlock(&list_lock);
    *loaded = component;
    k42_event_component_load(component->name);
    return component_start(component, why, why_size);
}

static k42_result component_load(const struct k42_module_source *source,
                                 struct k42_component **component, char *why, size_t why_size) {
    char unread[8];
    if (k42_active())
        return -EDEADLK;
    k42_lock(&loading);
    k42_result result =
        component_open(source, component, why ? why : unread, why ? why_size : sizeof unread);
    k42_unlock(&loading);
    return result;
}

k42_result k42_component_load(const char *path, struct k42_component **component, char *why,
                              size_t why_size) {
    return component_load(&(struct k42_module_source){.path = path}, component, why, why_size);
}

k42_result k42_component_load_image(const char *name, const void *image, size_t size,
                                    struct k42_component **component, char *why, size_t why_size) {
    return component_load(&(struct k42_module_source){name, image, size}, component, why, why_size);
}

/* ---- unloading ---- */

static k42_result busy_with(const struct k42_component *component, enum k42_ledger_entry entry,
                            const char *what, char *why, size_t why_size) {
    long count = k42_load_acquire(&component->counts[entry]);
    if (!count)
        return 0;
    k42_format_text(why, why_size, "component %s still has %ld %s", component->name, count, what);
    return -EBUSY;
}

static k42_result busy_with_instances(const struct k42_component *component, char *why,
                                      size_t why_size) {
    const struct k42_class *busy = NULL;
    uint64_t count = 0;
    k42_id first = 0;
    for (struct k42_class **c = component->module->classes; c < component->module->classes_end; c++)
        if (!busy && (count = k42_class_instances(*c, &first)))
            busy = *c;
    struct k42_module *module = component->module;
    for (struct k42_adaptor **a = module->adaptors; a < module->adaptors_end; a++)
        if (!busy && (*a)->class_ && (count = k42_class_instances((*a)->class_, &first)))
            busy = (*a)->class_;
    if (!busy)
        return 0;
    k42_format_text(why, why_size,
                    "component %s still has %lu instances of class %s version %u, the first is "
                    "object %u; destroy or upgrade them",
                    component->name, count, busy->name, busy->version, first);
    return -EBUSY;
}

static k42_result component_busy(struct k42_component *component, char *why, size_t why_size) {
    k42_result result = busy_with_instances(component, why, why_size);
    if (!result)
        result = busy_with(component, K42_LEDGER_RUNS, "runs as a policy", why, why_size);
    return result < 0 ? result : busy_with(component, K42_LEDGER_HOOKS, "hooks", why, why_size);
}

/* What has been asked for is done: creates under way, swaps, lazy turns, deferred calls, ends. */
static k42_result component_settle(void) {
    k42_result result = k42_synchronize();
    if (!result)
        result = k42_swap_flush();
    /* The second time for what the first made: objects behind adaptors, defers of defers. */
    for (unsigned round = 0; !result && round < 2; round++)
        result = k42_defer_flush();
    return result;
}

/*
 * Swaps are looked for twice: before its instances, since one that is under way may bring another,
 * and after them, since one may have taken the last away and not have let go of it. Those that
 * begin lead to other classes.
 */
static k42_result component_look(struct k42_component *component, char *why, size_t why_size) {
    k42_result result = busy_with(component, K42_LEDGER_SWAPS, "swaps under way", why, why_size);
    if (!result)
        result = component_busy(component, why, why_size);
    if (!result)
        result = busy_with(component, K42_LEDGER_SWAPS, "swaps under way", why, why_size);
    if (!result)
        result = busy_with(component, K42_LEDGER_DEFERS, "deferred calls", why, why_size);
    return result;
}

/* Lets everything end that may still run its code, then looks once more. */
static k42_result component_drain(struct k42_component *component, char *why, size_t why_size) {
    k42_threads_stop(component);
    k42_result result = component_settle();
    if (!result)
        result = component_look(component, why, why_size);
    /* What went between the two has not ended yet. */
    return result < 0 ? result : component_settle();
}

static k42_result component_close(struct k42_component *component, char *why, size_t why_size) {
    k42_result result = component_busy(component, why, why_size);
    /* Perhaps only with what has been destroyed and has not ended yet. */
    if (result == -EBUSY && !(result = component_settle()))
        result = component_busy(component, why, why_size);
    if (!result)
        result = k42_component_take_families(component, why, why_size);
    if (result < 0)
        return result;
    result = k42_component_close_factories(component, why, why_size);
    if (!result) {
        /* In this order, so that who is refused finds the factory turned to another version. */
        k42_classes_set_leaving(component, 1);
        result = component_drain(component, why, why_size);
        if (result < 0) {
            k42_classes_set_leaving(component, 0);
            k42_component_reopen_factories(component);
        }
    }
    k42_component_release_families(component, component->module->classes_end);
    if (result < 0)
        return result;
    module_unregister(component->module);
    return k42_synchronize();
}

/* Nothing leads to its code any more. */
static void component_remove(struct k42_component *component) {
    k42_lock(&list_lock);
    struct k42_component **link = &components;
    while (*link != component)
        link = &(*link)->next;
    *link = component->next;
    k42_unlock(&list_lock);
    k42_event_component_unload(component->name);
    k42_platform_module_close(component->handle);
    k42_platform_free(component);
}

/* It is kept, and usable as before. */
static void component_keep(struct k42_component *component) {
    const struct k42_module *module = component->module;
    k42_classes_set_leaving(component, 0);
    if (module->start && module->start() < 0)
        k42_log("component %s is kept, and does not start again", component->name);
}

k42_result k42_component_unload_to(struct k42_component *component, struct k42_class *to, char *why,
                                   size_t why_size) {
    char unread[8];
    if (k42_active())
        return -EDEADLK;
    if (!why) {
        why = unread;
        why_size = sizeof unread;
    }
    k42_lock(&loading);
    if (component->module->stop)
        component->module->stop();
    k42_result result = to ? k42_component_move(component, to, why, why_size) : 0;
    if (result >= 0)
        result = component_close(component, why, why_size);
    if (!result)
        component_remove(component);
    else
        component_keep(component);
    k42_unlock(&loading);
    return result;
}

k42_result k42_component_unload(struct k42_component *component, char *why, size_t why_size) {
    return k42_component_unload_to(component, NULL, why, why_size);
}

void k42_components_close(void) {
    while (components) {
        struct k42_component *next = components->next;
        k42_threads_stop(components);
        module_unregister(components->module);
        k42_platform_module_close(components->handle);
        k42_platform_free(components);
        components = next;
    }
    for (struct k42_module *module = programs; module; module = module->next)
        module_unregister(module);
}

/* ---- looking ---- */

struct k42_component *k42_component_find(const char *name) {
    k42_lock(&list_lock);
    struct k42_component *component = components;
    while (component && !k42_text_equal(component->name, name))
        component = component->next;
    k42_unlock(&list_lock);
    return component;
}

struct k42_module *k42_component_module(const struct k42_component *component) {
    return component->module;
}

struct k42_class *k42_component_class(struct k42_component *component, const char *name) {
    for (struct k42_class **c = component->module->classes; c < component->module->classes_end; c++)
        if (k42_text_equal((*c)->name, name))
            return *c;
    return NULL;
}

void k42_component_ledger(struct k42_component *component, struct k42_ledger *ledger) {
    const struct k42_module *module = component->module;
    *ledger = (struct k42_ledger){
        .classes = (uint64_t)(module->classes_end - module->classes),
        .threads = (uint64_t)k42_load_relaxed(&component->counts[K42_LEDGER_THREADS]),
        .defers = (uint64_t)k42_load_relaxed(&component->counts[K42_LEDGER_DEFERS]),
        .hooks = (uint64_t)k42_load_relaxed(&component->counts[K42_LEDGER_HOOKS]),
        .events = (uint64_t)(module->events_end - module->events),
    };
    k42_copy_text(ledger->name, sizeof ledger->name, component->name);
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        ledger->instances += k42_class_instances(*c, NULL);
}
