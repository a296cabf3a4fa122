/*
 * Loadable code on a Linux host: shared objects, opened by path, or from memory by way of a memory
 * file.
 *
 * All symbols are bound at once, so that a missing one is reported here and not at a call, and stay
 * local to the module. Opening a module that is open already yields the same handle, counted, and
 * runs no constructors. The dynamic linker does the locking.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

#define IMAGE_PATH "/proc/self/fd/%d"

static k42_result open_path(const char *path, const char *name, void **handle, char *why,
                            size_t why_size) {
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*handle)
        return 0;
    const char *error = dlerror();
    snprintf(why, why_size, "cannot load %s: %s", name, error ? error : "no reason given");
    return -ENOENT;
}

static k42_result open_file(const char *name, void **handle, char *why, size_t why_size) {
    char here[4096];
    const char *path = name;
    /* A name without a slash would be searched for along the library path. */
    if (!strchr(path, '/')) {
        if ((size_t)snprintf(here, sizeof(here), "./%s", path) >= sizeof(here)) {
            snprintf(why, why_size, "cannot load a module whose path is longer than %zu characters",
                     sizeof(here));
            return -ENOENT;
        }
        path = here;
    }
    return open_path(path, name, handle, why, why_size);
}

static int write_all(int file, const char *bytes, size_t size) {
    while (size) {
        ssize_t written = write(file, bytes, size);
        if (written < 0)
            return -errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* The memory file stays open as long as the module: the linker takes two paths that are equal for
 * the same module, and this one is the file's as long as it has the number. */
static k42_result open_image(const struct k42_module_source *source, void **handle, char *why,
                             size_t why_size) {
    char path[32];
    int file = memfd_create("k42-component", MFD_CLOEXEC);
    k42_result result = file < 0 ? -errno : write_all(file, source->image, source->size);
    if (result < 0) {
        snprintf(why, why_size, "cannot load %s: %s", source->path, strerror((int)-result));
    } else {
        snprintf(path, sizeof path, IMAGE_PATH, file);
        result = open_path(path, source->path, handle, why, why_size);
    }
    if (result < 0 && file >= 0)
        close(file);
    return result;
}

k42_result k42_platform_module_open(const struct k42_module_source *source, void **handle,
                                    char *why, size_t why_size) {
    return source->image ? open_image(source, handle, why, why_size)
                         : open_file(source->path, handle, why, why_size);
}

void k42_platform_module_close(void *handle) {
    struct link_map *map = NULL;
    int file = -1;
    if (!dlinfo(handle, RTLD_DI_LINKMAP, &map) && sscanf(map->l_name, IMAGE_PATH, &file) != 1)
        file = -1;
    dlclose(handle);
    if (file >= 0)
        close(file);
}
