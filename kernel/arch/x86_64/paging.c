/*
 * Page tables of the kernel's half: built once at boot, changed page by page afterwards.
 *
 * Owns: the tables behind kernel_page_table. Locking: tables_lock, with interrupts off, for every
 * change; the processor reads them without. Tables are never given back. Nothing is mapped both
 * writable and executable, the direct map's view of the image included.
 *
 * Order: an entry is written whole by one store after what it points to is filled, so that another
 * CPU's walk, which may happen at any time, finds either nothing or everything.
 */
#include "../../print.h"
#include "cpu.h"

#include <errno.h>

#define PRESENT  (1ul << 0)
#define WRITABLE (1ul << 1)
#define UNCACHED (3ul << 3)
#define LARGE    (1ul << 7)
#define USED     (3ul << 5) /* accessed and dirty: nobody asks, and the processor need not write */
#define GLOBAL   (1ul << 8)
#define NX       (1ul << 63)
#define FRAME    0x000ffffffffff000ul
#define TOP      4 /* levels */
#define MANY     64

uint64_t kernel_page_table;
static struct spin_lock tables_lock;
static bool sealed;
static uintptr_t device_next = DEVICE_MAP;

extern char text_begin[], text_end[], constants_end[], image_begin[], image_end[];

static unsigned slot_of(uintptr_t address, unsigned level) {
    return address >> (12 + 9 * (level - 1)) & 511;
}

static uint64_t bits_of(unsigned flags) {
    uint64_t bits = PRESENT | USED | GLOBAL;
    bits |= flags & KERNEL_WRITE ? WRITABLE : 0;
    bits |= flags & KERNEL_UNCACHED ? UNCACHED : 0;
    bits |= flags & KERNEL_LARGE ? LARGE : 0;
    bits |= features.nx && !(flags & KERNEL_EXECUTE) ? NX : 0;
    return bits;
}

/* The table that `entry` points to, made when it is not there; NULL: no frame, or sealed. */
static uint64_t *table_below(uint64_t *entry, unsigned level, bool make) {
    uint64_t value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    if (value & PRESENT)
        return value & LARGE && level < TOP ? NULL : phys_to_virt(value & FRAME);
    if (!make || (level == TOP && sealed))
        return NULL;
    uint64_t frame = page_table_frame();
    if (!frame)
        return NULL;
    uint64_t *table = phys_to_virt(frame);
    for (unsigned i = 0; i < 512; i++)
        table[i] = 0;
    __atomic_store_n(entry, frame | PRESENT | WRITABLE, __ATOMIC_RELEASE);
    return table;
}

/* The entry of `level` for an address, its tables made when wanted. NULL: there is none. */
static uint64_t *entry_of(uintptr_t address, unsigned level, bool make) {
    uint64_t *table = phys_to_virt(kernel_page_table);
    for (unsigned at = TOP; at > level; at--) {
        table = table_below(&table[slot_of(address, at)], at, make);
        if (!table)
            return NULL;
    }
    return &table[slot_of(address, level)];
}

/* The entry that maps an address, of whatever size; `size` gets it. NULL: nothing is mapped. */
static uint64_t *mapping_of(uintptr_t address, uint64_t *size) {
    for (unsigned level = 3; level >= 1; level--) {
        uint64_t *entry = entry_of(address, level, false);
        if (!entry || !(*entry & PRESENT))
            return NULL;
        *size = 1ul << (12 + 9 * (level - 1));
        if (level == 1 || *entry & LARGE)
            return entry;
    }
    return NULL;
}

static int map_at(uintptr_t address, unsigned level, uint64_t entry_value) {
    uint64_t *entry = entry_of(address, level, true);
    uint64_t size;
    if (!entry)
        return mapping_of(address, &size) ? -EEXIST : -ENOMEM;
    if (*entry & PRESENT)
        return -EEXIST;
    __atomic_store_n(entry, entry_value, __ATOMIC_RELEASE);
    return 0;
}

static bool is_ours(uintptr_t address) {
    return address >= DIRECT_MAP;
}

static bool both(unsigned flags) {
    return (flags & KERNEL_WRITE) && (flags & KERNEL_EXECUTE);
}

int kernel_map(uintptr_t address, uint64_t physical, unsigned flags) {
    uint64_t size = flags & KERNEL_LARGE ? LARGE_SIZE : FRAME_SIZE;
    if ((address | physical) & (size - 1) || both(flags) || !is_ours(address))
        return -EINVAL;
    uintptr_t saved = interrupts_save();
    spin_take(&tables_lock);
    int error = map_at(address, flags & KERNEL_LARGE ? 2 : 1, physical | bits_of(flags));
    spin_release(&tables_lock);
    interrupts_restore(saved);
    return error;
}

uint64_t kernel_unmap(uintptr_t address) {
    uint64_t size, physical = KERNEL_NOTHING;
    uintptr_t saved = interrupts_save();
    spin_take(&tables_lock);
    uint64_t *entry = mapping_of(address, &size);
    if (entry) {
        physical = *entry & FRAME;
        __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
    }
    spin_release(&tables_lock);
    interrupts_restore(saved);
    return physical;
}

int kernel_protect(uintptr_t address, unsigned flags) {
    uint64_t size;
    int error = -ENOENT;
    if (both(flags) || !is_ours(address))
        return -EINVAL;
    uintptr_t saved = interrupts_save();
    spin_take(&tables_lock);
    uint64_t *entry = mapping_of(address, &size);
    if (entry) {
        unsigned large = size > FRAME_SIZE ? KERNEL_LARGE : 0;
        uint64_t bits = bits_of((flags & ~(unsigned)KERNEL_LARGE) | large);
        __atomic_store_n(entry, (*entry & FRAME) | bits, __ATOMIC_RELEASE);
        error = 0;
    }
    spin_release(&tables_lock);
    interrupts_restore(saved);
    return error;
}

/* Without the lock: tables are never given back, so a walk finds what was true a moment ago; the
 * entry is read once, since it may be cleared meanwhile. */
uint64_t kernel_physical(uintptr_t address) {
    uint64_t size;
    uint64_t *entry = is_ours(address) ? mapping_of(address, &size) : NULL;
    uint64_t value = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;
    if (!(value & PRESENT))
        return KERNEL_NOTHING;
    return (value & FRAME & ~(size - 1)) | (address & (size - 1));
}

/* Without the lock, like kernel_physical; a table that is missing is made with it. */
uint64_t *page_entry_find(uintptr_t address) {
    return is_ours(address) ? entry_of(address, 1, false) : NULL;
}

uint64_t *page_entry_make(uintptr_t address) {
    uint64_t *entry = page_entry_find(address);
    if (entry || !is_ours(address))
        return entry;
    uintptr_t saved = interrupts_save();
    spin_take(&tables_lock);
    entry = entry_of(address, 1, true);
    spin_release(&tables_lock);
    interrupts_restore(saved);
    return entry;
}

uint64_t page_entry(uint64_t physical, unsigned flags) {
    return physical | bits_of(flags);
}

void *device_map(uint64_t physical, size_t size) {
    uint64_t offset = physical & (FRAME_SIZE - 1), first = physical - offset;
    size_t pages = (offset + size + FRAME_SIZE - 1) / FRAME_SIZE;
    uintptr_t at = __atomic_fetch_add(&device_next, pages * FRAME_SIZE, __ATOMIC_RELAXED);
    for (size_t i = 0; i < pages; i++)
        if (kernel_map(at + i * FRAME_SIZE, first + i * FRAME_SIZE, KERNEL_WRITE | KERNEL_UNCACHED))
            return NULL;
    return (void *)(at + offset);
}

const void *firmware_map(uint64_t physical, size_t size) {
    uint64_t end = physical + size;
    if (end < physical || end > DIRECT_MAP_SIZE)
        return NULL;
    for (uint64_t at = physical & ~(FRAME_SIZE - 1); at < end; at += FRAME_SIZE) {
        int error = kernel_map(DIRECT_MAP + at, at, KERNEL_READ);
        if (error && error != -EEXIST)
            return NULL;
    }
    return phys_to_virt(physical);
}

/* ---- flushing ---- */

void tlb_flush_local(uintptr_t address, size_t pages) {
    if (pages <= MANY) {
        for (size_t i = 0; i < pages; i++)
            __asm__ volatile("invlpg (%0)" ::"r"(address + i * FRAME_SIZE) : "memory");
        return;
    }
    /* Switching global pages off and on forgets everything, global or not, of every PCID. */
    uintptr_t saved = interrupts_save();
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 ^ 1ul << 7);
    write_cr4(cr4);
    interrupts_restore(saved);
}

struct flush {
    uintptr_t address;
    size_t pages;
};

static void flush_here(void *argument) {
    struct flush *flush = argument;
    tlb_flush_local(flush->address, flush->pages);
}

void tlb_flush_all(uintptr_t address, size_t pages) {
    struct flush flush = {address, pages};
    flush_here(&flush);
    cpu_call_others(flush_here, &flush);
}

/* ---- the tables at boot ---- */

static void map_or_panic(uintptr_t address, unsigned level, uint64_t entry) {
    if (map_at(address, level, entry))
        panic("boot: no memory for the page table of 0x%lx; give the machine more memory", address);
}

static bool overlaps_image(uint64_t base, uint64_t size) {
    return base < virt_to_phys(constants_end) && base + size > virt_to_phys(text_begin);
}

/* The largest level whose page fits at `at`, inside `end`, and is of one kind. */
static unsigned direct_level(uint64_t at, uint64_t end) {
    for (unsigned level = features.huge_pages ? 3 : 2; level > 1; level--) {
        uint64_t size = 1ul << (12 + 9 * (level - 1));
        if (!(at & (size - 1)) && at + size <= end && !overlaps_image(at, size))
            return level;
    }
    return 1;
}

static void map_direct(uint64_t at, uint64_t end) {
    while (at < end) {
        unsigned level = direct_level(at, end);
        unsigned flags = overlaps_image(at, FRAME_SIZE) ? KERNEL_READ : KERNEL_WRITE;
        flags |= level > 1 ? KERNEL_LARGE : 0;
        map_or_panic(DIRECT_MAP + at, level, at | bits_of(flags));
        at += 1ul << (12 + 9 * (level - 1));
    }
}

static void map_image(const char *begin, const char *end, unsigned flags) {
    for (uintptr_t at = (uintptr_t)begin; at < (uintptr_t)end; at += FRAME_SIZE)
        map_or_panic(at, 1, (at - KERNEL_BASE) | bits_of(flags));
}

void paging_open(void) {
    kernel_page_table = page_table_frame();
    if (!kernel_page_table)
        panic("boot: the loader's map shows no free memory between 1 MiB and 4 GiB");
    uint64_t *top = phys_to_virt(kernel_page_table);
    for (unsigned i = 0; i < 512; i++)
        top[i] = 0;
    for (unsigned i = 0; i < ram_range_count; i++)
        map_direct(ram_ranges[i].base, ram_ranges[i].base + ram_ranges[i].size);
    map_image(text_begin, text_end, KERNEL_EXECUTE);
    map_image(text_end, constants_end, KERNEL_READ);
    map_image(constants_end, image_end, KERNEL_WRITE);
    write_cr3(kernel_page_table);
}

static void fill_slots(uintptr_t begin, uintptr_t size) {
    uint64_t *top = phys_to_virt(kernel_page_table);
    for (uintptr_t at = begin; at < begin + size; at += 512 * HUGE_SIZE)
        if (!table_below(&top[slot_of(at, TOP)], TOP, true))
            panic("boot: no memory for the page tables of 0x%lx", at);
}

void paging_seal(void) {
    fill_slots(KERNEL_HEAP, KERNEL_HEAP_SIZE);
    fill_slots(DEVICE_MAP, DEVICE_MAP_SIZE);
    sealed = true;
}
