/*
 * The kernel's runtime from nothing: memory, threads, objects, then all CPUs.
 */
#include "kernel_platform.h"

#include "../print.h"
#include "../sched/thread.h"
#include "runtime.h"

#define OBJECTS_MAX (16u << 20)
/* A process leaves some twenty objects; the ends of several share a grace period and two switches.
 */
#define GATHER_NS 100000u

/* The console is the only place; lines go there by k42_platform_log(). */
void k42_platform_set_log(void (*log)(const char *line)) {
    (void)log;
}

void platform_open(void) {
    platform_memory_open();
    sched_open();
    platform_module_register();
    struct k42_options options = {.max_objects = OBJECTS_MAX, .gather_ns = GATHER_NS};
    k42_result result = k42_init(&options);
    if (result < 0)
        panic("boot: the object runtime cannot start: %s", k42_error_name(result));
    sched_start();
}
