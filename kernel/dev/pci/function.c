/*
 * One function: its header, its BARs, its list of capabilities.
 *
 * A BAR's size is found by writing all ones and reading which bits took; meanwhile the function
 * answers at no address. Owns nothing; what is read is the caller's copy.
 */
#include "pci.h"

enum {
    VENDOR = 0x00,
    DEVICE = 0x02,
    COMMAND = 0x04,
    STATUS = 0x06,
    REVISION = 0x08,
    INTERFACE = 0x09,
    SUBCLASS = 0x0a,
    CLASS = 0x0b,
    HEADER = 0x0e,
    BAR0 = 0x10,
    SUBSYSTEM_VENDOR = 0x2c,
    SUBSYSTEM = 0x2e,
    CAPABILITIES = 0x34,
};

enum {
    COMMAND_PORTS = 1,
    COMMAND_MEMORY = 2,
    COMMAND_MASTER = 4,
    COMMAND_NO_INTX = 0x400,
    STATUS_HAS_LIST = 0x10,
};

#define HEADER_BYTES 0x40u
#define LIST_END     0x100u /* capabilities lie in the first 256 bytes */
#define LIST_MAX     ((LIST_END - HEADER_BYTES) / 4)
#define BAR_IS_PORTS 1u
#define BAR_KIND     6u
#define BAR_64_BITS  4u
#define PORT_BITS    (~3u)
#define MEMORY_BITS  (~15u)
#define NOBODY       0xffffu

static uint32_t read(const struct pci_function *function, unsigned offset, unsigned width) {
    return pci_config_read(function->at, offset, width);
}

static void change_command(const struct pci_function *function, uint16_t off, uint16_t on) {
    uint16_t command = (uint16_t)read(function, COMMAND, 2);
    pci_config_write(function->at, COMMAND, 2, (command & ~off) | on);
}

/* Which of a BAR's bits can be set. */
static uint32_t probe_bits(const struct pci_function *function, unsigned offset) {
    uint32_t before = read(function, offset, 4);
    pci_config_write(function->at, offset, 4, ~0u);
    uint32_t bits = read(function, offset, 4);
    pci_config_write(function->at, offset, 4, before);
    return bits;
}

/* Reads the BAR and returns how many words it takes. */
static unsigned read_bar(struct pci_function *function, unsigned n, unsigned count) {
    struct pci_bar *bar = &function->bars[n];
    unsigned offset = BAR0 + 4 * n;
    uint32_t low = read(function, offset, 4), bits = probe_bits(function, offset);
    bar->is_ports = low & BAR_IS_PORTS;
    if (bar->is_ports) {
        uint32_t settable = bits & PORT_BITS & 0xffff;
        bar->address = low & PORT_BITS;
        bar->size = settable & -settable;
        return 1;
    }
    uint64_t settable = bits & MEMORY_BITS;
    bar->address = low & MEMORY_BITS;
    bool wide = (low & BAR_KIND) == BAR_64_BITS && n + 1 < count;
    if (wide) {
        bar->address |= (uint64_t)read(function, offset + 4, 4) << 32;
        settable |= (uint64_t)probe_bits(function, offset + 4) << 32;
    }
    bar->size = settable & -settable;
    return wide ? 2 : 1;
}

static void read_bars(struct pci_function *function) {
    unsigned count = function->header == 0 ? PCI_BARS : function->header == 1 ? 2 : 0;
    uint16_t command = (uint16_t)read(function, COMMAND, 2);
    change_command(function, COMMAND_PORTS | COMMAND_MEMORY, 0);
    for (unsigned n = 0; n < count;)
        n += read_bar(function, n, count);
    pci_config_write(function->at, COMMAND, 2, command);
}

bool pci_function_read(struct pci_address at, struct pci_function *function) {
    *function = (struct pci_function){.at = at};
    function->vendor = (uint16_t)read(function, VENDOR, 2);
    if (function->vendor == NOBODY || function->vendor == 0)
        return false;
    function->device = (uint16_t)read(function, DEVICE, 2);
    function->revision = (uint8_t)read(function, REVISION, 1);
    function->interface = (uint8_t)read(function, INTERFACE, 1);
    function->subclass = (uint8_t)read(function, SUBCLASS, 1);
    function->class_ = (uint8_t)read(function, CLASS, 1);
    function->header = (uint8_t)read(function, HEADER, 1) & 0x7f;
    if (function->header == 0) {
        function->subsystem_vendor = (uint16_t)read(function, SUBSYSTEM_VENDOR, 2);
        function->subsystem = (uint16_t)read(function, SUBSYSTEM, 2);
    }
    read_bars(function);
    return true;
}

/* Lines are not used: what a function has to say it says by messages. */
void pci_enable(const struct pci_function *function) {
    change_command(function, 0, COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
}

void pci_disable(const struct pci_function *function) {
    change_command(function, COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER, 0);
}

unsigned pci_capability(const struct pci_function *function, enum pci_capability kind, unsigned n) {
    if (!(read(function, STATUS, 2) & STATUS_HAS_LIST))
        return 0;
    unsigned at = read(function, CAPABILITIES, 1) & ~3u;
    for (unsigned steps = 0; steps < LIST_MAX && at >= HEADER_BYTES && at < LIST_END; steps++) {
        if (read(function, at, 1) == kind && n-- == 0)
            return at;
        at = read(function, at + 1, 1) & ~3u;
    }
    return 0;
}

static char digit(unsigned value) {
    return "0123456789abcdef"[value & 15];
}

void pci_name(struct pci_address at, char name[PCI_NAME_BYTES]) {
    const char text[] = {digit(at.bus >> 4),
                         digit(at.bus),
                         ':',
                         digit(at.device >> 4),
                         digit(at.device),
                         '.',
                         digit(at.function),
                         0};
    for (unsigned i = 0; i < sizeof text; i++)
        name[i] = text[i];
}
