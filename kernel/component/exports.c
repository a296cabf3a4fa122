/*
 * Finding what the kernel offers: see exports.h. The table is sorted by name and constant.
 */
#include "exports.h"

#include "runtime.h"

#define VERSION_DIGITS 8u

struct component_export {
    const char *name;
    uintptr_t address; /* 0: declared, but not in this kernel */
    uint64_t version;
};

extern const struct component_export component_exports[];
extern const uint64_t component_export_count;

/* Compares with a name that ends after `length` characters. */
static int compare(const char *name, size_t length, const struct component_export *other) {
    for (size_t i = 0; i < length; i++)
        if (name[i] != other->name[i])
            return (unsigned char)name[i] < (unsigned char)other->name[i] ? -1 : 1;
    return other->name[length] ? -1 : 0;
}

static const struct component_export *find(const char *name, size_t length) {
    uint64_t low = 0, high = component_export_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = compare(name, length, &component_exports[middle]);
        if (!order)
            return &component_exports[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The name's length, and the version behind the last point. -1: there is none. */
static int64_t split(const char *versioned, size_t *length) {
    size_t end = k42_text_length(versioned);
    uint64_t version = 0;
    if (end < VERSION_DIGITS + 2 || versioned[end - VERSION_DIGITS - 1] != '.')
        return -1;
    for (size_t i = end - VERSION_DIGITS; i < end; i++) {
        char c = versioned[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return -1;
        version = version << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *length = end - VERSION_DIGITS - 1;
    return (int64_t)version;
}

uintptr_t export_find(const char *versioned, char *why, size_t why_size) {
    size_t length;
    int64_t version = split(versioned, &length);
    if (version < 0) {
        k42_format_text(why, why_size, "symbol %s has no version; './k42 build' gives it one",
                        versioned);
        return 0;
    }
    const struct component_export *found = find(versioned, length);
    if (!found || !found->address) {
        k42_format_text(why, why_size, "it needs %s, which this kernel does not offer", versioned);
        return 0;
    }
    if (found->version != (uint64_t)version) {
        k42_format_text(why, why_size,
                        "it was compiled for another version of %s than this kernel's %x: build it "
                        "with this kernel's headers",
                        versioned, (unsigned)found->version);
        return 0;
    }
    return found->address;
}
