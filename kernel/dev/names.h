/*
 * Devices by name: "vda", "ttyS0", "hvc0".
 *
 * A driver lists its objects here; whoever shows devices to programs finds them here. Threads only.
 */
#ifndef KERNEL_DEV_NAMES_H
#define KERNEL_DEV_NAMES_H

#include <k42/object.h>
#include <stdbool.h>

#define DEVICE_NAME_BYTES 32

struct device_entry {
    char name[DEVICE_NAME_BYTES];
    const struct k42_interface *interface; /* block, stream, ... */
    k42_ref ref;
};

/*
 * Told of every device, those that are listed already first. In a thread, active or not, without
 * locks. The record is the watcher's and stays.
 */
struct device_watcher {
    void (*listed)(struct device_watcher *watcher, const struct device_entry *entry);
    struct device_watcher *next;
};
void device_watch(struct device_watcher *watcher);

/* Lists a device. 0; -EEXIST; -ENOMEM. */
K42_MUST_CHECK
k42_result device_list(const char *name, const struct k42_interface *interface, k42_ref ref);
/* Finds one of an interface (NULL: of any) by name; NULL: there is none. */
k42_ref device_find(const char *name, const struct k42_interface *interface);
/* Shows each, in the order they came, until visit returns true. */
void device_each(bool (*visit)(const struct device_entry *entry, void *context), void *context);

#endif
