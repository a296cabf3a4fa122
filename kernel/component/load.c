/*
 * Code for the running kernel: the loader's half of core/platform.h.
 *
 * In this order, so that nothing is believed before it has been checked and nothing changed before
 * all has: signature, form, symbols, memory; then the code is placed, relocated, protected, and its
 * constructors hand its classes to the runtime, as those of a shared object do on a host.
 *
 * Owns: nothing; the handle is the component's memory. The runtime loads one at a time. Fails: with
 * a sentence, and nothing is left.
 */
#include "../arch/x86_64/arch.h"
#include "../print.h"
#include "exports.h"
#include "memory.h"
#include "runtime.h"
#include "signature.h"

/* How many bytes of the file are the component. */
static long allowed_size(const struct k42_module_source *source, char *why, size_t why_size) {
    const uint8_t *bytes = source->image;
    if (!signature_there(bytes, source->size) && boot_option_set("k42.unsigned")) {
        print("component: %s is not signed; the option k42.unsigned lets it in", source->path);
        return (long)source->size;
    }
    return signature_check(bytes, source->size, component_key, why, why_size);
}

static k42_result read_image(const struct k42_module_source *source, struct component_image *image,
                             char *why, size_t why_size) {
    if (!source->image) {
        k42_copy_text(why, why_size, "the kernel opens no files: hand over its bytes");
        return -ENOTSUP;
    }
    long size = allowed_size(source, why, why_size);
    if (size < 0)
        return size;
    k42_result result = component_check(image, source->image, (size_t)size, why, why_size);
    return result ? result : component_resolve(image, export_find, why, why_size);
}

static void start(const struct component_image *image, uintptr_t base) {
    typedef void (*function)(void);
    const function *functions = (const function *)(base + image->start);
    for (uint64_t i = 0; i < image->starts; i++)
        functions[i]();
}

k42_result k42_platform_module_open(const struct k42_module_source *source, void **handle,
                                    char *why, size_t why_size) {
    struct component_image image;
    char reason[192];
    k42_result result = read_image(source, &image, reason, sizeof reason);
    struct component_memory *memory = result ? NULL : component_memory_make(&image);
    if (!result && !memory) {
        k42_copy_text(reason, sizeof reason, "there is no memory for it");
        result = -ENOMEM;
    }
    if (result) {
        k42_format_text(why, why_size, "%s is refused: %s", source->path, reason);
        return result;
    }
    uintptr_t base = component_memory_base(memory);
    component_place(&image, (uint8_t *)base, base, export_find);
    component_memory_protect(memory);
    start(&image, base);
    *handle = memory;
    return 0;
}

void k42_platform_module_close(void *handle) {
    component_memory_free(handle);
}
