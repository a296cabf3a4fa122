/*
 * What /proc/sys/fs says of leases, and can be told.
 */
#include "proc.h"

#include "../../fs/values.h"
#include "../files/leases.h"

#include <errno.h>

/* Decimal digits, and a line's end. */
static k42_result number_of(const char *bytes, size_t size, uint32_t *number) {
    uint64_t value = 0;
    size -= size && bytes[size - 1] == '\n';
    if (!size || size > 9)
        return -EINVAL;
    for (size_t n = 0; n < size; n++) {
        if (bytes[n] < '0' || bytes[n] > '9')
            return -EINVAL;
        value = value * 10 + (uint64_t)(bytes[n] - '0');
    }
    *number = (uint32_t)value;
    return 0;
}

static k42_result print_number(struct proc_text *text, const uint32_t *setting) {
    proc_print(text, "%u\n", __atomic_load_n(setting, __ATOMIC_RELAXED));
    return 0;
}

static k42_result write_number(const char *bytes, size_t size, uint32_t *setting) {
    uint32_t number;
    k42_result result = number_of(bytes, size, &number);
    if (result >= 0)
        __atomic_store_n(setting, number, __ATOMIC_RELAXED);
    return result;
}

static k42_result print_seconds(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_number(text, &lease_settings.seconds);
}

static k42_result write_seconds(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_number(bytes, size, &lease_settings.seconds);
}

static k42_result print_enabled(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_number(text, &lease_settings.enabled);
}

static k42_result write_enabled(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_number(bytes, size, &lease_settings.enabled);
}

void proc_leases_register(struct proc_entry *fs) {
    static struct proc_entry seconds = {.name = "lease-break-time",
                                        .mode = MODE_REGULAR | 0644,
                                        .print = print_seconds,
                                        .write = write_seconds};
    static struct proc_entry enabled = {.name = "leases-enable",
                                        .mode = MODE_REGULAR | 0644,
                                        .print = print_enabled,
                                        .write = write_enabled};
    proc_add(fs, &seconds);
    proc_add(fs, &enabled);
}
