/*
 * One loaded component, as component.c and thread.c share it.
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

#endif
