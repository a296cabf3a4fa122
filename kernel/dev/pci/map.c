/*
 * Registers of a function, in memory. Owns nothing: a map stays for ever.
 */
#include "pci.h"

#include "../../arch/x86_64/arch.h"

volatile void *pci_map(const struct pci_function *function, unsigned bar, uint64_t offset,
                       uint64_t size) {
    if (bar >= PCI_BARS || !size)
        return NULL;
    const struct pci_bar *range = &function->bars[bar];
    if (range->is_ports || !range->address || range->address > ~0ul - range->size)
        return NULL;
    if (offset > range->size || size > range->size - offset)
        return NULL;
    return device_map(range->address + offset, size);
}
