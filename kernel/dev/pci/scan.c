/*
 * Which functions there are: bus by bus, through bridges.
 *
 * A bridge says which bus lies behind it. Buses wait in a queue and each is entered at most once,
 * so bridges that name their own bus, or each other's, cost nothing; numbers that firmware did not
 * give, or outside the segment, are passed over. Nothing is renumbered.
 */
#include "pci.h"

#define HEADER_KIND   0x0e
#define HEADER_MANY   0x80 /* the device has more than one function */
#define SECONDARY_BUS 0x19
#define BRIDGE        1
#define BUSES         256u

struct scan {
    uint16_t segment;
    uint8_t last_bus;
    bool seen[BUSES];
    uint8_t queue[BUSES];
    unsigned queued;
    bool (*visit)(const struct pci_function *function, void *context);
    void *context;
};

static void enter_later(struct scan *scan, uint8_t bus) {
    if (bus > scan->last_bus || scan->seen[bus])
        return;
    scan->seen[bus] = true;
    scan->queue[scan->queued++] = bus;
}

/* False: the visitor has had enough. */
static bool look(struct scan *scan, struct pci_address at, bool *exists) {
    struct pci_function function;
    *exists = pci_function_read(at, &function);
    if (!*exists)
        return true;
    if (function.header == BRIDGE)
        enter_later(scan, (uint8_t)pci_config_read(at, SECONDARY_BUS, 1));
    return scan->visit(&function, scan->context);
}

static bool look_at_device(struct scan *scan, struct pci_address at) {
    bool exists;
    if (!look(scan, at, &exists))
        return false;
    if (!exists || !(pci_config_read(at, HEADER_KIND, 1) & HEADER_MANY))
        return true;
    for (at.function = 1; at.function < PCI_FUNCTIONS; at.function++)
        if (!look(scan, at, &exists))
            return false;
    return true;
}

void pci_scan(uint16_t segment, uint8_t bus, uint8_t last_bus,
              bool (*visit)(const struct pci_function *function, void *context), void *context) {
    struct scan scan = {
        .segment = segment, .last_bus = last_bus, .visit = visit, .context = context};
    enter_later(&scan, bus);
    for (unsigned i = 0; i < scan.queued; i++)
        for (uint8_t device = 0; device < PCI_DEVICES; device++)
            if (!look_at_device(&scan, (struct pci_address){segment, scan.queue[i], device, 0}))
                return;
}
