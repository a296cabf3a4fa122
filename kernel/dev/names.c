/*
 * Devices by name: a list that only grows.
 *
 * An entry is complete before it is linked, by one store that readers load with acquire, so they
 * need no lock; those who list take names.lock. Found when something is opened or mounted, by
 * walking: a machine has dozens.
 */
#include "names.h"

#include <k42/lock.h>

#include "runtime.h"

struct named {
    struct device_entry entry;
    struct named *next;
};

static struct {
    struct k42_lock lock;
    struct named *first;
    struct device_watcher *watchers; /* the newest first; none ever goes */
} names;

void device_each(bool (*visit)(const struct device_entry *entry, void *context), void *context) {
    for (struct named *at = k42_load_acquire(&names.first); at; at = k42_load_acquire(&at->next))
        if (visit(&at->entry, context))
            return;
}

k42_ref device_find(const char *name, const struct k42_interface *interface) {
    for (struct named *at = k42_load_acquire(&names.first); at; at = k42_load_acquire(&at->next))
        if (k42_text_equal(at->entry.name, name) &&
            (!interface || at->entry.interface == interface))
            return at->entry.ref;
    return K42_NULL_REF;
}

k42_result device_list(const char *name, const struct k42_interface *interface, k42_ref ref) {
    struct named *named = k42_platform_alloc(sizeof *named);
    if (!named)
        return -ENOMEM;
    k42_copy_text(named->entry.name, sizeof named->entry.name, name);
    named->entry.interface = interface;
    named->entry.ref = ref;
    k42_lock(&names.lock);
    struct named **link = &names.first;
    while (*link && !k42_text_equal((*link)->entry.name, named->entry.name))
        link = &(*link)->next;
    bool taken = *link;
    if (!taken)
        k42_store_release(link, named);
    struct device_watcher *watcher = names.watchers;
    k42_unlock(&names.lock);
    if (taken) {
        k42_platform_free(named);
        return -EEXIST;
    }
    for (; watcher; watcher = watcher->next)
        watcher->listed(watcher, &named->entry);
    return 0;
}

/* A device is listed before the watcher came, and found here; or after, and finds the watcher. */
void device_watch(struct device_watcher *watcher) {
    k42_lock(&names.lock);
    watcher->next = names.watchers;
    names.watchers = watcher;
    struct named *first = names.first, *last = first;
    while (last && last->next)
        last = last->next;
    k42_unlock(&names.lock);
    for (struct named *at = first; at; at = at == last ? NULL : at->next)
        watcher->listed(watcher, &at->entry);
}
