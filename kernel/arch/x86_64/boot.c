#include "../../print.h"
#include "../../dev/serial.h"
#include "arch.h"
#include "ports.h"
void kernel_entry(uint32_t magic, uint32_t information);
static struct { char room[4096]; } block __attribute__((aligned(4096)));
void kernel_entry(uint32_t magic, uint32_t information) {
    msr_write(MSR_GS_BASE, (uintptr_t)(&block + 1));
    serial_open();
    print("hello %x %x", magic, information);
    port_write8(0xf4, 1);
    for (;;) ;
}
