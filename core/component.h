/*
 * One loaded component, as component.c, component_factories.c and thread.c share it.
 */
#ifndef K42_CORE_COMPONENT_H
#define K42_CORE_COMPONENT_H

#include "runtime.h"

#include <k42/component.h>

struct k42_component {
    struct k42_component *next;
    char name[32];
    void *handle;
    struct k42_module *module;
    long counts[K42_LEDGER_KINDS];
};

/* Asks all threads on the component's ledger to stop, and waits for their ends. */
void k42_threads_stop(struct k42_component *component);

/*
 * Swaps the instances of its classes to another class, and lets no swap that leads to them begin
 * from here on, until k42_classes_set_leaving(component, 0). Inactive callers only.
 */
k42_result k42_component_move(struct k42_component *component, struct k42_class *to, char *why,
                              size_t why_size);

/* Turns the factories that make this component's classes away from them: all or none. */
k42_result k42_component_close_factories(struct k42_component *component, char *why,
                                         size_t why_size);
/* Turns back those that closing has turned away. */
void k42_component_reopen_factories(struct k42_component *component);

/* Keeps upgrades of its classes from beginning. -EBUSY: one is under way. */
k42_result k42_component_take_families(struct k42_component *component, char *why, size_t why_size);
/* Lets them begin again: of its classes before, not including, the one at `end`. */
void k42_component_release_families(struct k42_component *component, struct k42_class **end);

#endif
