/*
 * Loadable code, which the kernel does not take yet, and the kernel's own module: its classes and
 * events, handed to the runtime before it starts, since an image has no constructors.
 */
#include "kernel_platform.h"

#include "runtime.h"

#include <k42/class.h>
#include <k42/trace.h>

struct k42_module k42_this_module;

void *k42_platform_module_open(const char *path, char *why, size_t why_size) {
    k42_format_text(why, why_size, "cannot load %s: this kernel takes no components", path);
    return NULL;
}

void k42_platform_module_close(void *handle) {
    (void)handle;
}

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
