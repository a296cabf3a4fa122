/*
 * A new kernel from memory instead of from firmware: its parts are put together in frames that are
 * in nobody's way, the other CPUs wait to be started as at power-on, and reboot.S does the rest.
 *
 * What the new kernel is told, as PVH says it, lies in pages below 1 MiB that are kept for this
 * from the first boot on: the code of reboot.S, the list of what goes where, then the start
 * information with modules, command line and ACPI's root, then the map of memory. It is read before
 * any memory is given out, but for ACPI's root, whose page the new kernel keeps.
 *
 * Frames that cannot be used because the new kernel will be there are held until others are found,
 * and all are given back when something fails before the point of no return.
 *
 * Owns: those pages. One CPU at a time gets as far as that.
 */
#include "../../dev/pci/pci.h"
#include "../../dev/serial.h"
#include "../../mem/frame/frame.h"
#include "../../print.h"
#include "../../sched/preempt.h"
#include "boot_info.h"
#include "cpu.h"
#include "kernel_image.h"
#include "stopped.h"

#include <errno.h>

#define MAP_PAGES    ((MEMORY_RANGES_MAX * sizeof(struct pvh_memory) + FRAME_SIZE - 1) / FRAME_SIZE)
#define PAGES        (2 + MAP_PAGES)
#define BLOCKS_MAX   64
#define RSDP_BYTES   36u
#define BOOT_CPU     0
#define PCI_BRIDGE   6u
#define SERIAL_IER   0x3f9
#define DRAIN_NS     100000ul
#define PAGE_PRESENT 3ul    /* and writable */
#define PAGE_LARGE   0x83ul /* of 2 MiB */

/* reboot.S knows these two. */
struct part {
    uint64_t to, from, words, zero_words;
};

struct handover {
    uint32_t entry, information;
    struct part parts[KERNEL_IMAGE_SEGMENTS + 1];
};

/* The page after that of code and list. */
struct told {
    struct pvh_info info;
    struct pvh_module modules[BOOT_MODULES_MAX];
    char rsdp[RSDP_BYTES + 4];
    char command_line[COMMAND_LINE_SIZE];
};
_Static_assert(sizeof(struct told) <= FRAME_SIZE, "it has one page");

extern char reboot_begin[], reboot_end[];
_Noreturn void reboot_go(uint64_t page_table, uint64_t code, uint64_t handover);

static uint64_t kept; /* physical; 0: there was no room below 1 MiB */
static uint32_t under_way;

/* The list stands in the middle of its page, behind the code. */
#define HANDOVER (kept + FRAME_SIZE / 2)
#define TOLD     (kept + FRAME_SIZE)
#define MAP      (kept + 2 * FRAME_SIZE)

void fast_reboot_open(void) {
    kept = memory_map_take_low(PAGES * FRAME_SIZE);
}

/* ---- frames that are in nobody's way ---- */

struct staging {
    const struct kernel_image *image;
    unsigned count;
    struct {
        struct frame *frame;
        unsigned order;
    } blocks[BLOCKS_MAX];
};

static void give_all(struct staging *staging) {
    while (staging->count--)
        frame_free(staging->blocks[staging->count].frame, staging->blocks[staging->count].order);
}

static bool is_in_the_way(const struct kernel_image *image, uint64_t begin, uint64_t end) {
    for (unsigned i = 0; i < image->count; i++) {
        const struct kernel_segment *segment = &image->segments[i];
        uint64_t segment_end = segment->physical + segment->size + segment->zero + FRAME_SIZE;
        if (begin < segment_end && end > segment->physical)
            return true;
    }
    return false;
}

/* Cleared. 0: there is none. */
static uint64_t take_block(struct staging *staging, unsigned order) {
    struct frame *frame;
    while (staging->count < BLOCKS_MAX && !frame_allocate(order, NULL, &frame)) {
        staging->blocks[staging->count].frame = frame;
        staging->blocks[staging->count++].order = order;
        uint64_t begin = frame_physical(frame), bytes = FRAME_SIZE << order;
        if (!is_in_the_way(staging->image, begin, begin + bytes)) {
            __builtin_memset(phys_to_virt(begin), 0, bytes);
            return begin;
        }
    }
    return 0;
}

static unsigned order_for(size_t bytes) {
    unsigned order = 0;
    while (FRAME_SIZE << order < bytes)
        order++;
    return order;
}

/* ---- what the new kernel gets ---- */

static bool is_memory(uint64_t begin, uint64_t end) {
    for (unsigned i = 0; i < ram_range_count; i++)
        if (begin >= ram_ranges[i].base && end <= ram_ranges[i].base + ram_ranges[i].size)
            return true;
    return false;
}

/* Parts are copied and cleared in whole words, which a linker's pages have room for. */
static int stage_parts(struct staging *staging, const void *bytes, struct handover *handover) {
    const struct kernel_image *image = staging->image;
    handover->entry = image->entry;
    handover->information = (uint32_t)TOLD;
    for (unsigned i = 0; i < image->count; i++) {
        const struct kernel_segment *segment = &image->segments[i];
        uint64_t words = (segment->size + 7) / 8, size = segment->size + segment->zero;
        uint64_t from = take_block(staging, order_for(segment->size + 8));
        if (!is_memory(segment->physical, segment->physical + size))
            return -ENXIO;
        if (!from)
            return -ENOMEM;
        __builtin_memcpy(phys_to_virt(from), (const char *)bytes + segment->offset, segment->size);
        handover->parts[i] = (struct part){segment->physical, from, words, (size + 7) / 8 - words};
    }
    handover->parts[image->count].to = 0;
    return 0;
}

/* Maps all memory up to `end`, and the kernel's half as it is; tables of 1 GiB each. 0: no memory.
 */
static uint64_t stage_tables(struct staging *staging, uint64_t end) {
    uint64_t top = take_block(staging, 0), level3 = top ? take_block(staging, 0) : 0;
    uint64_t gigabytes = (end + HUGE_SIZE - 1) / HUGE_SIZE;
    if (!level3 || gigabytes > 512)
        return 0;
    uint64_t *entries = phys_to_virt(top);
    __builtin_memcpy(entries, phys_to_virt(kernel_page_table), FRAME_SIZE);
    entries[0] = level3 | PAGE_PRESENT;
    /* One block for all: as many tables as gigabytes. */
    uint64_t level2 = take_block(staging, order_for(gigabytes * FRAME_SIZE));
    if (!level2)
        return 0;
    for (uint64_t i = 0; i < gigabytes; i++)
        ((uint64_t *)phys_to_virt(level3))[i] = (level2 + i * FRAME_SIZE) | PAGE_PRESENT;
    for (uint64_t i = 0; i < gigabytes * 512; i++)
        ((uint64_t *)phys_to_virt(level2))[i] = i * LARGE_SIZE | PAGE_LARGE;
    return top;
}

static uint64_t end_of_memory(void) {
    uint64_t end = 0x100000000ul;
    for (unsigned i = 0; i < ram_range_count; i++)
        if (ram_ranges[i].base + ram_ranges[i].size > end)
            end = ram_ranges[i].base + ram_ranges[i].size;
    return end;
}

static void tell(const struct boot_module *modules, unsigned count, const char *command_line) {
    struct told *told = phys_to_virt(TOLD);
    struct pvh_memory *map = phys_to_virt(MAP);
    __builtin_memset(told, 0, sizeof *told);
    for (unsigned i = 0; i < ram_range_count; i++)
        map[i] = (struct pvh_memory){ram_ranges[i].base, ram_ranges[i].size, PVH_RAM, 0};
    for (unsigned i = 0; i < count; i++)
        told->modules[i] = (struct pvh_module){modules[i].base, modules[i].size, 0, 0};
    for (size_t i = 0; command_line[i]; i++)
        told->command_line[i] = command_line[i];
    told->info = (struct pvh_info){
        .magic = PVH_MAGIC,
        .version = 1,
        .modules = count,
        .modules_at = TOLD + offsetof(struct told, modules),
        .command_line_at = TOLD + offsetof(struct told, command_line),
        .memory_at = MAP,
        .memory_entries = ram_range_count,
    };
    const void *rsdp = boot_rsdp ? firmware_map(boot_rsdp, RSDP_BYTES) : NULL;
    if (rsdp) {
        __builtin_memcpy(told->rsdp, rsdp, RSDP_BYTES);
        told->info.rsdp = TOLD + offsetof(struct told, rsdp);
    }
}

/* ---- the point of no return ---- */

static bool silence_function(const struct pci_function *function, void *unused) {
    (void)unused;
    if (function->class_ != PCI_BRIDGE)
        pci_disable(function);
    return true;
}

static void silence_segment(uint16_t segment, uint8_t bus, uint8_t last_bus, void *unused) {
    pci_scan(segment, bus, last_bus, silence_function, unused);
}

static void only_end(struct trap_frame *frame) {
    (void)frame;
    interrupt_end();
}

/*
 * Nobody may write to memory or interrupt any more. What has come by then is taken, so that the new
 * kernel does not find it, and nothing is done about it: the CPUs that were stopped may hold any
 * lock.
 */
static void silence(void) {
    pci_config_segments(silence_segment, NULL);
    port_write8(SERIAL_IER, 0);
    interrupts_disable();
    cpu_stop_others();
    for (unsigned i = 0; i < cpu_count(); i++)
        if (i != cpu_number())
            apic_send(cpu_block(i)->apic_id, APIC_INIT);
    for (unsigned vector = VECTOR_DEVICES; vector < VECTOR_SPURIOUS; vector++)
        trap_handle(vector, only_end);
    trap_leave = NULL;
    if (features.tsc_deadline)
        apic_deadline(0);
    else
        apic_timer_start(0);
    interrupts_enable();
    delay_ns(DRAIN_NS);
    interrupts_disable();
}

/*
 * On the CPU that firmware started, since an INIT would send that one back to firmware: the new
 * kernel must find itself on it, and the others waiting to be started.
 */
static void go(void *tables) {
    silence();
    reboot_go(*(uint64_t *)tables, kept, HANDOVER);
}

static int check(const struct kernel_image *image, const struct boot_module *modules,
                 unsigned count, const char *command_line) {
    size_t length = 0;
    while (command_line[length])
        length++;
    if (length >= COMMAND_LINE_SIZE || count > BOOT_MODULES_MAX)
        return -E2BIG;
    for (unsigned i = 0; i < count; i++)
        if (is_in_the_way(image, modules[i].base, modules[i].base + modules[i].size) ||
            !is_memory(modules[i].base, modules[i].base + modules[i].size))
            return -ENXIO;
    return kept ? 0 : -ENOTSUP;
}

int machine_fast_reboot(const void *bytes, size_t size, const struct boot_module *modules,
                        unsigned count, const char *command_line) {
    struct kernel_image image;
    int error = kernel_image_read(bytes, size, &image);
    if (!error)
        error = check(&image, modules, count, command_line);
    if (!error && __atomic_exchange_n(&under_way, 1, __ATOMIC_ACQUIRE))
        error = -EBUSY;
    if (error)
        return error;
    struct staging staging = {.image = &image};
    __builtin_memcpy(phys_to_virt(kept), reboot_begin, (size_t)(reboot_end - reboot_begin));
    error = stage_parts(&staging, bytes, phys_to_virt(HANDOVER));
    uint64_t tables = error ? 0 : stage_tables(&staging, end_of_memory());
    if (!tables) {
        give_all(&staging);
        __atomic_store_n(&under_way, 0, __ATOMIC_RELEASE);
        return error ? error : -ENOMEM;
    }
    tell(modules, count, command_line);
    print("starting another kernel");
    serial_drain();
    preempt_off();
    cpu_call(BOOT_CPU, go, &tables);
    panic("another kernel was to be started, and this one goes on");
}
