/*
 * PCI functions: found, described, given to the driver that wants them.
 *
 * What a function says of itself is checked before it is believed: lists end, offsets lie inside.
 * A function belongs to its driver from probe() on; it stays for ever, since nothing is unplugged.
 */
#ifndef KERNEL_PCI_H
#define KERNEL_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

#define PCI_BARS 6u
#define PCI_ANY  0xffffu

/* One range of a function's registers; size 0: there is none. */
struct pci_bar {
    uint64_t address; /* physical, or a port; 0: firmware gave it no place */
    uint64_t size;
    bool is_ports;
};

struct pci_function {
    struct pci_address at;
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t class_, subclass, interface, revision;
    uint8_t header; /* kind: 0 a device, 1 a bridge */
    struct pci_bar bars[PCI_BARS];
};

/* ---- finding (scan.c, function.c; compiled for the host too) ---- */

/*
 * Visits each function behind the bus, bridges included, in order; false ends the walk. Each bus is
 * looked at once, whatever bridges say.
 */
void pci_scan(uint16_t segment, uint8_t bus, uint8_t last_bus,
              bool (*visit)(const struct pci_function *function, void *context), void *context);

/* Reads a function. False: there is none. */
bool pci_function_read(struct pci_address at, struct pci_function *function);

/* Lets it answer at its memory or ports and be master of the bus, or stops that. */
void pci_enable(const struct pci_function *function);
void pci_disable(const struct pci_function *function);

enum pci_capability {
    PCI_CAP_MSI = 0x05,
    PCI_CAP_VENDOR = 0x09,
    PCI_CAP_MSIX = 0x11,
};

/*
 * Offset of the function's n-th capability of a kind (from 0), or 0: it has not so many. A list
 * that leads in circles ends after as many as there is room for.
 */
unsigned pci_capability(const struct pci_function *function, enum pci_capability kind, unsigned n);

/* ---- registers (map.c) ---- */

/*
 * Maps `size` bytes at an offset of a BAR in memory. NULL: no such BAR, it has no place, or the
 * range is not in it; or no memory for tables.
 */
volatile void *pci_map(const struct pci_function *function, unsigned bar, uint64_t offset,
                       uint64_t size);

/* ---- interrupts (msi.c) ---- */

struct pci_interrupts;

/*
 * Takes up to `wanted` interrupts of a function, by MSI-X, or one by MSI. Returns how many; all are
 * masked. -ENOTSUP: the function has neither, or says nonsense about it; -EBUSY,
 * -ENOMEM. Threads only.
 */
int pci_interrupts_open(const struct pci_function *function, unsigned wanted,
                        struct pci_interrupts **interrupts);
/*
 * Has number n call handler(argument) on a CPU, and lets it through; once for each n. 0 or -EBUSY,
 * -ENOTSUP.
 */
int pci_interrupt(struct pci_interrupts *interrupts, unsigned n, uint32_t cpu,
                  void (*handler)(void *), void *argument);
/* Masks and gives back all of them. */
void pci_interrupts_close(struct pci_interrupts *interrupts);

/* ---- drivers (driver.c) ---- */

/*
 * Who may have a function: PCI_ANY matches every vendor, device or class. probe() takes it over and
 * returns 0, or -ENODEV: not mine after all; another error is printed. It may wait.
 */
struct pci_driver {
    const char *name;
    uint16_t vendor, device_first, device_last;
    uint16_t class_; /* class << 8 | subclass */
    int (*probe)(const struct pci_function *function);
};

#define PCI_DRIVER(symbol)                                                                         \
    static const struct pci_driver symbol;                                                         \
    static const struct pci_driver *const symbol##_listed                                          \
        __attribute__((section("pci_drivers"), used)) = &symbol;                                   \
    static const struct pci_driver symbol

/* Finds all functions and offers each to its driver. Once; threads only. Returns how many there
 * are. */
unsigned pci_open(void);

/* "00:02.0" */
#define PCI_NAME_BYTES 16
void pci_name(struct pci_address at, char name[PCI_NAME_BYTES]);

#endif
