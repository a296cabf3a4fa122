/*
 * PCI configuration space: where functions say what they are and are told where to appear.
 *
 * Any context. What is not there reads as all ones, and writing it does nothing. The host's tests
 * bring their own implementation, a bus that lies.
 */
#ifndef KERNEL_PCI_CONFIG_H
#define KERNEL_PCI_CONFIG_H

#include <stdint.h>

/* One function of one device. */
struct pci_address {
    uint16_t segment;
    uint8_t bus, device, function;
};

#define PCI_CONFIG_BYTES 4096u
#define PCI_FUNCTIONS    8u
#define PCI_DEVICES      32u

/* `width` is 1, 2 or 4 bytes, and `offset` a multiple of it. */
uint32_t pci_config_read(struct pci_address at, unsigned offset, unsigned width);
void pci_config_write(struct pci_address at, unsigned offset, unsigned width, uint32_t value);

/* Shows each segment's first bus, from which its others are reached, and its last. */
void pci_config_segments(void (*visit)(uint16_t segment, uint8_t bus, uint8_t last_bus,
                                       void *context),
                         void *context);

#endif
