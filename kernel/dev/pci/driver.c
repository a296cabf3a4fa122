/*
 * Which driver has which function: a table that drivers put their lines into.
 *
 * Functions are found first and offered afterwards, so that probing one does not change the bus
 * while it is walked. Owns nothing that lives on.
 */
#include "pci.h"

#include "../../print.h"
#include "runtime.h"

extern const struct pci_driver *const pci_drivers_begin[], *const pci_drivers_end[];

struct found {
    struct pci_function function;
    struct found *next;
};

struct list {
    struct found *first, **last;
    unsigned count;
};

static bool keep(const struct pci_function *function, void *context) {
    struct list *list = context;
    struct found *found = k42_platform_alloc(sizeof *found);
    if (!found)
        return false;
    found->function = *function;
    *list->last = found;
    list->last = &found->next;
    list->count++;
    return true;
}

static void scan_segment(uint16_t segment, uint8_t bus, uint8_t last_bus, void *list) {
    pci_scan(segment, bus, last_bus, keep, list);
}

static bool wants(const struct pci_driver *driver, const struct pci_function *function) {
    uint16_t class_ = (uint16_t)(function->class_ << 8 | function->subclass);
    return (driver->vendor == PCI_ANY || driver->vendor == function->vendor) &&
           (driver->device_first == PCI_ANY || (function->device >= driver->device_first &&
                                                function->device <= driver->device_last)) &&
           (driver->class_ == PCI_ANY || driver->class_ == class_);
}

static void offer(const struct pci_function *function) {
    char name[PCI_NAME_BYTES];
    pci_name(function->at, name);
    for (size_t i = 0; &pci_drivers_begin[i] < pci_drivers_end; i++) {
        const struct pci_driver *driver = pci_drivers_begin[i];
        if (!wants(driver, function))
            continue;
        int error = driver->probe(function);
        if (!error)
            return;
        if (error != -ENODEV)
            print("pci %s: %s cannot use it: %s", name, driver->name, k42_error_name(error));
    }
}

unsigned pci_open(void) {
    struct list list = {.last = &list.first};
    pci_config_segments(scan_segment, &list);
    while (list.first) {
        struct found *found = list.first;
        list.first = found->next;
        offer(&found->function);
        k42_platform_free(found);
    }
    return list.count;
}
