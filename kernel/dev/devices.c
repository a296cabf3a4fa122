/*
 * The order in which devices are opened. Owns nothing.
 */
#include "devices.h"

#include "../print.h"
#include "interrupt.h"
#include "pci/pci.h"
#include "stream/serial_stream.h"
#include "work.h"

void devices_open(void) {
    if (interrupts_open() || work_open()) {
        print("devices: no memory; none is used");
        return;
    }
    serial_stream_open();
    print("devices: %u PCI functions", pci_open());
}
