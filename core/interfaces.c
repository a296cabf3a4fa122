/*
 * Interfaces: the runtime's own copies, by number.
 *
 * Program and components each bring a description compiled from the same header; what they call the
 * same must be the same, so the first is copied (names too: it outlives the component) and later
 * ones are compared. A number is for ever, since pages of slots are.
 *
 * Owns: the copies. Locking: the registry's. Fails: -ENOEXEC with a sentence that says what
 * differs.
 */
#include "runtime.h"

static const struct k42_interface **interfaces; /* by number; 0 is none */
static uint32_t interfaces_count;

static const char *text_copy(const char *text) {
    size_t size = k42_text_length(text) + 1;
    char *copy = k42_platform_alloc(size);
    if (copy)
        k42_copy_text(copy, size, text);
    return copy;
}

static struct k42_interface *interface_copy(const struct k42_interface *original) {
    struct k42_interface *copy = k42_platform_alloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *original;
    copy->name = text_copy(original->name);
    copy->method_names = NULL;
    if (!original->method_names)
        return copy;
    const char **names = k42_platform_alloc(sizeof *names * original->methods);
    for (uint32_t i = 0; names && i < original->methods; i++)
        names[i] = original->method_names[i] ? text_copy(original->method_names[i]) : NULL;
    copy->method_names = names;
    return copy;
}

uint32_t k42_interface_number(const struct k42_interface *wanted) {
    uint32_t count = k42_load_acquire(&interfaces_count);
    for (uint32_t i = 1; i <= count; i++)
        if (interfaces[i]->version == wanted->version &&
            k42_text_equal(interfaces[i]->name, wanted->name))
            return i;
    return 0;
}

const struct k42_interface *k42_interface_by_number(uint32_t number) {
    return number && number <= k42_load_acquire(&interfaces_count) ? interfaces[number] : NULL;
}

static k42_result interface_compare(const struct k42_interface *ours,
                                    const struct k42_interface *theirs, char *why,
                                    size_t why_size) {
    const char *what = ours->methods != theirs->methods ? "methods"
                       : ours->flags != theirs->flags   ? "flags"
                                                        : NULL;
    if (!what)
        return 0;
    k42_format_text(why, why_size,
                    "interface %s version %u has %u %s there and %u here: rebuild against this "
                    "program's headers, or raise its version and bring an adaptor",
                    ours->name, ours->version,
                    ours->methods != theirs->methods ? theirs->methods : theirs->flags, what,
                    ours->methods != theirs->methods ? ours->methods : ours->flags);
    return -ENOEXEC;
}

k42_result k42_interface_check(const struct k42_interface *wanted, char *why, size_t why_size) {
    uint32_t number = k42_interface_number(wanted);
    if (number)
        return interface_compare(interfaces[number], wanted, why, why_size);
    if (wanted->methods > K42_MAX_METHODS || !wanted->methods) {
        k42_format_text(why, why_size,
                        "interface %s version %u has %u methods; 1 to %u are possible",
                        wanted->name, wanted->version, wanted->methods, K42_MAX_METHODS);
        return -ENOEXEC;
    }
    return 0;
}

k42_result k42_interface_register(const struct k42_interface *wanted, uint32_t *number, char *why,
                                  size_t why_size) {
    k42_result result = k42_interface_check(wanted, why, why_size);
    *number = k42_interface_number(wanted);
    if (result < 0 || *number)
        return result;
    if (!interfaces)
        interfaces = k42_platform_reserve(sizeof(*interfaces) * K42_INTERFACES_MAX);
    struct k42_interface *copy = interface_copy(wanted);
    if (!interfaces || !copy || !copy->name || interfaces_count + 1 >= K42_INTERFACES_MAX) {
        k42_format_text(why, why_size, "no room for interface %s", wanted->name);
        return -ENOMEM;
    }
    *number = interfaces_count + 1;
    interfaces[*number] = copy;
    k42_store_release(&interfaces_count, *number);
    return 0;
}

void k42_interfaces_close(void) {
    for (uint32_t i = 1; i <= interfaces_count; i++) {
        struct k42_interface *copy = (struct k42_interface *)(uintptr_t)interfaces[i];
        for (uint32_t m = 0; copy->method_names && m < copy->methods; m++)
            k42_platform_free((void *)(uintptr_t)copy->method_names[m]);
        k42_platform_free((void *)(uintptr_t)copy->method_names);
        k42_platform_free((void *)(uintptr_t)copy->name);
        k42_platform_free(copy);
    }
    interfaces_count = 0;
    if (interfaces)
        k42_platform_unreserve(interfaces, sizeof(*interfaces) * K42_INTERFACES_MAX);
    interfaces = NULL;
}
