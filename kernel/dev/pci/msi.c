/*
 * Message-signalled interrupts: MSI-X with a vector of its own for each queue, spread over CPUs;
 * one vector by MSI where a function has no more.
 *
 * Owns: pci_interrupts, which belongs to the function's driver and has no lock. A vector's message
 * is written while it is masked, and what is written reaches the device in order, since the table
 * is mapped uncached.
 */
#include "pci.h"

#include "../../arch/x86_64/arch.h"
#include "../interrupt.h"
#include "runtime.h"

/* MSI-X, from the capability's begin; and of an entry of its table, in words of 32 bits. */
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4 };
enum { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL, ENTRY_WORDS };
#define MSIX_ENABLE   0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_COUNT    0x07ffu
#define MSIX_BAR      7u
#define ENTRY_MASKED  1u

/* MSI. */
enum { MSI_CONTROL = 2, MSI_ADDRESS = 4, MSI_ADDRESS_HIGH = 8, MSI_DATA = 8, MSI_DATA_WIDE = 12 };
#define MSI_ENABLE 1u
#define MSI_COUNTS 0x70u /* how many of the offered ones are used */
#define MSI_WIDE   0x80u

struct pci_interrupts {
    struct pci_address at;
    volatile uint32_t *table; /* of MSI-X; NULL: MSI */
    unsigned capability, count;
    struct vector {
        struct interrupt interrupt;
        bool taken;
    } vectors[];
};

static unsigned control(const struct pci_interrupts *self) {
    return pci_config_read(self->at, self->capability + 2, 2);
}

static void set_control(const struct pci_interrupts *self, unsigned value) {
    pci_config_write(self->at, self->capability + 2, 2, value);
}

static struct pci_interrupts *make(const struct pci_function *function, unsigned count) {
    struct pci_interrupts *self =
        k42_platform_alloc(sizeof *self + count * sizeof self->vectors[0]);
    if (!self)
        return NULL;
    self->at = function->at;
    self->count = count;
    return self;
}

/* Finds the table where the capability says, if that is inside the function's registers. */
static int open_msix(const struct pci_function *function, unsigned capability, unsigned wanted,
                     struct pci_interrupts **interrupts) {
    unsigned offered =
        (pci_config_read(function->at, capability + MSIX_CONTROL, 2) & MSIX_COUNT) + 1;
    uint32_t place = pci_config_read(function->at, capability + MSIX_TABLE, 4);
    uint64_t bytes = (uint64_t)offered * ENTRY_WORDS * sizeof(uint32_t);
    volatile uint32_t *table = pci_map(function, place & MSIX_BAR, place & ~MSIX_BAR, bytes);
    if (!table)
        return -ENOTSUP;
    struct pci_interrupts *self = make(function, wanted < offered ? wanted : offered);
    if (!self)
        return -ENOMEM;
    self->capability = capability;
    self->table = table;
    set_control(self, MSIX_ENABLE | MSIX_MASK_ALL);
    for (unsigned n = 0; n < offered; n++)
        table[n * ENTRY_WORDS + ENTRY_CONTROL] = ENTRY_MASKED;
    set_control(self, MSIX_ENABLE);
    *interrupts = self;
    return (int)self->count;
}

static int open_msi(const struct pci_function *function, unsigned capability,
                    struct pci_interrupts **interrupts) {
    struct pci_interrupts *self = make(function, 1);
    if (!self)
        return -ENOMEM;
    self->capability = capability;
    set_control(self, control(self) & ~(MSI_ENABLE | MSI_COUNTS));
    *interrupts = self;
    return 1;
}

int pci_interrupts_open(const struct pci_function *function, unsigned wanted,
                        struct pci_interrupts **interrupts) {
    unsigned msix = pci_capability(function, PCI_CAP_MSIX, 0);
    if (msix && wanted) {
        int count = open_msix(function, msix, wanted, interrupts);
        if (count != -ENOTSUP)
            return count;
    }
    unsigned msi = pci_capability(function, PCI_CAP_MSI, 0);
    return msi && wanted ? open_msi(function, msi, interrupts) : -ENOTSUP;
}

static void let_through_msix(struct pci_interrupts *self, unsigned n) {
    volatile uint32_t *entry = &self->table[n * ENTRY_WORDS];
    uint64_t address = interrupt_message_address(self->vectors[n].interrupt);
    entry[ENTRY_CONTROL] = ENTRY_MASKED;
    entry[ENTRY_ADDRESS] = (uint32_t)address;
    entry[ENTRY_ADDRESS_HIGH] = (uint32_t)(address >> 32);
    entry[ENTRY_DATA] = interrupt_message_data(self->vectors[n].interrupt);
    entry[ENTRY_CONTROL] = 0;
}

static void let_through_msi(struct pci_interrupts *self) {
    struct interrupt interrupt = self->vectors[0].interrupt;
    bool wide = control(self) & MSI_WIDE;
    uint64_t address = interrupt_message_address(interrupt);
    pci_config_write(self->at, self->capability + MSI_ADDRESS, 4, (uint32_t)address);
    if (wide)
        pci_config_write(self->at, self->capability + MSI_ADDRESS_HIGH, 4,
                         (uint32_t)(address >> 32));
    pci_config_write(self->at, self->capability + (wide ? MSI_DATA_WIDE : MSI_DATA), 2,
                     interrupt_message_data(interrupt));
    set_control(self, control(self) | MSI_ENABLE);
}

int pci_interrupt(struct pci_interrupts *self, unsigned n, uint32_t cpu, void (*handler)(void *),
                  void *argument) {
    struct vector *vector = &self->vectors[n];
    int error = interrupt_take(cpu, handler, argument, &vector->interrupt);
    if (error)
        return error;
    vector->taken = true;
    if (self->table)
        let_through_msix(self, n);
    else
        let_through_msi(self);
    return 0;
}

void pci_interrupts_close(struct pci_interrupts *self) {
    if (self->table)
        for (unsigned n = 0; n < self->count; n++)
            self->table[n * ENTRY_WORDS + ENTRY_CONTROL] = ENTRY_MASKED;
    set_control(self, self->table ? 0 : control(self) & ~MSI_ENABLE);
    for (unsigned n = 0; n < self->count; n++)
        if (self->vectors[n].taken)
            interrupt_give(self->vectors[n].interrupt);
    k42_platform_free(self);
}
