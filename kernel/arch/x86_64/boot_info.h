/* What a loader that speaks PVH hands over: read at boot, written for a kernel started from here.
 */
#ifndef KERNEL_BOOT_INFO_H
#define KERNEL_BOOT_INFO_H

#include <stdint.h>

#define COMMAND_LINE_SIZE 2048
#define PVH_MAGIC         0x336ec578
#define PVH_RAM           1 /* the type of a range, in Multiboot2's map as well */

struct pvh_info {
    uint32_t magic, version, flags, modules;
    uint64_t modules_at, command_line_at, rsdp, memory_at;
    uint32_t memory_entries, unused;
};

struct pvh_module {
    uint64_t base, size, command_line, unused;
};

struct pvh_memory {
    uint64_t base, size;
    uint32_t type, unused;
};

#endif
