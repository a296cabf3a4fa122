/*
 * Fuzzes the kernel's search for PCI functions: the bytes are the configuration spaces of devices,
 * 256 bytes each, at places that the first two bytes of each decide. What is written takes where a
 * bit of the same bytes says so.
 *
 * Whatever buses say, the search must come to an end, show each function once, and stay within the
 * segment's buses; lists of capabilities must end, at offsets inside.
 */
#include "fuzz.h"
#include "pci.h"

#include <string.h>

enum { SPACE = 256, SPACES = 64, LAST_BUS = 7, VISITS = (LAST_BUS + 1) * 32 * 8 };

static uint8_t spaces[SPACES][SPACE];
static size_t count;
static unsigned reads;
static uint8_t visited[VISITS];

/* Where a space is: few places, so that bridges, devices and functions meet. */
static uint8_t *space_at(struct pci_address at) {
    size_t i = at.bus + (LAST_BUS + 1) * (at.device + 4u * at.function);
    return at.bus <= LAST_BUS && at.device < 4 && i < count ? spaces[i] : NULL;
}

uint32_t pci_config_read(struct pci_address at, unsigned offset, unsigned width) {
    uint8_t *space = space_at(at);
    uint32_t value = ~0u;
    expect(++reads < 10000000, "the search does not end");
    expect(offset < 4096 && offset % width == 0, "a read is misplaced");
    if (space && offset + width <= SPACE) {
        value = 0;
        memcpy(&value, space + offset, width);
    }
    return value & (~0u >> (32 - 8 * width));
}

void pci_config_write(struct pci_address at, unsigned offset, unsigned width, uint32_t value) {
    uint8_t *space = space_at(at);
    expect(offset < 4096 && offset % width == 0, "a write is misplaced");
    if (space && offset + width <= SPACE && space[1] & 1)
        memcpy(space + offset, &value, width);
}

static bool visit(const struct pci_function *function, void *context) {
    char name[PCI_NAME_BYTES];
    (void)context;
    unsigned number = (function->at.bus * 32u + function->at.device) * 8u + function->at.function;
    expect(function->at.bus <= LAST_BUS, "a bus behind the segment's last was looked at");
    expect(!visited[number]++, "a function was shown twice");
    pci_name(function->at, name);
    for (unsigned n = 0, at; (at = pci_capability(function, PCI_CAP_VENDOR, n)); n++) {
        expect(at >= 0x40 && at < 0x100, "a capability lies outside");
        expect(n < 48, "a list of capabilities does not end");
    }
    for (unsigned i = 0; i < PCI_BARS; i++)
        expect(!(function->bars[i].size & (function->bars[i].size - 1)), "a size is odd");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    count = (size + SPACE - 1) / SPACE;
    count = count < SPACES ? count : SPACES;
    memset(spaces, 0, sizeof spaces);
    memset(visited, 0, sizeof visited);
    memcpy(spaces, data, size < sizeof spaces ? size : sizeof spaces);
    reads = 0;
    pci_scan(0, 0, LAST_BUS, visit, NULL);
    return 0;
}
