/*
 * Loadable code on a Linux host: shared objects, opened by path.
 *
 * All symbols are bound at once, so that a missing one is reported here and not at a call, and stay
 * local to the module. Opening a module that is open already yields the same handle, counted, and
 * runs no constructors. The dynamic linker does the locking.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

void *k42_platform_module_open(const char *path, char *why, size_t why_size) {
    char here[4096];
    /* A name without a slash would be searched for along the library path. */
    if (!strchr(path, '/')) {
        if ((size_t)snprintf(here, sizeof(here), "./%s", path) >= sizeof(here)) {
            snprintf(why, why_size, "cannot load a module whose path is longer than %zu characters",
                     sizeof(here));
            return NULL;
        }
        path = here;
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *error = dlerror();
        snprintf(why, why_size, "cannot load %s: %s", path, error ? error : "no reason given");
    }
    return handle;
}

void k42_platform_module_close(void *handle) {
    dlclose(handle);
}
