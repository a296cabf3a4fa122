/*
 * The kernel's own module: its classes and events, handed to the runtime before it starts, since an
 * image has no constructors. Loadable code: ../component/load.c.
 */
#include "kernel_platform.h"

#include "runtime.h"

#include <k42/class.h>
#include <k42/trace.h>

struct k42_module k42_this_module;

void platform_module_register(void) {
    k42_this_module = (struct k42_module){
        .name = "kernel",
        .flavour = K42_FLAVOUR,
        .classes = __start_k42_classes,
        .classes_end = __stop_k42_classes,
        .adaptors = __start_k42_adaptors,
        .adaptors_end = __stop_k42_adaptors,
        .events = __start_k42_trace_events,
        .events_end = __stop_k42_trace_events,
    };
    k42_module_register(&k42_this_module);
}
