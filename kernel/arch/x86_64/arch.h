/*
 * What the rest of the kernel may ask of the processor: memory, page tables of the kernel's half,
 * CPUs, calls between them, interrupts, time.
 *
 * Unless it says otherwise a function may be called in any context, does not wait, cannot fail.
 * "Physical" addresses are uint64_t, the kernel's own are uintptr_t or pointers.
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- where things are ----
 *
 * Top-level slots of the page table are 512 GiB. Those of the kernel's half are all filled at boot
 * and never change afterwards, so every address space copies entries 256 to 511 once.
 *
 *   DIRECT_MAP       all RAM, at DIRECT_MAP + physical address; never executable
 *   KERNEL_HEAP      free for kernel_map: heap, reserved ranges, tables
 *   DEVICE_MAP       registers of devices, handed out by device_map
 *   CPU_AREAS        1 GiB for each CPU: stacks, its block, and from its GS base upwards
 *                    CPU_TABLE_SIZE bytes free for kernel_map: its translation table
 *   KERNEL_BASE      the image; above it, COMPONENT_AREA for loaded code in reach of it
 */
#define FRAME_SIZE       4096ul
#define LARGE_SIZE       0x200000ul
#define HUGE_SIZE        0x40000000ul
#define DIRECT_MAP       0xffff800000000000ul
#define DIRECT_MAP_SIZE  0x0000400000000000ul
#define KERNEL_HEAP      0xffffc00000000000ul
#define KERNEL_HEAP_SIZE 0x0000040000000000ul
#define DEVICE_MAP       0xffffd00000000000ul
#define DEVICE_MAP_SIZE  0x0000008000000000ul
#define CPU_AREAS        0xffffe00000000000ul
#define CPU_AREA_SIZE    0x40000000ul
#define CPU_TABLE_SIZE   0x30000000ul
#define KERNEL_BASE      0xffffffff80000000ul
#define COMPONENT_AREA   0xffffffffc0000000ul

/*
 * RAM that nobody uses: without the image, the modules, what firmware keeps, and what the kernel
 * took for page tables and stacks so far. Page aligned, in no order, some empty. Until the frame
 * allocator replaces page_table_frame, taking a frame makes a range smaller.
 */
struct memory_range {
    uint64_t base, size;
};
#define MEMORY_RANGES_MAX 512
extern struct memory_range memory_ranges[];
extern unsigned memory_range_count;

static inline void *phys_to_virt(uint64_t physical) {
    return (void *)(DIRECT_MAP + physical);
}

/* For addresses of the direct map and of the image only. */
static inline uint64_t virt_to_phys(const void *address) {
    uintptr_t at = (uintptr_t)address;
    return at >= KERNEL_BASE ? at - KERNEL_BASE : at - DIRECT_MAP;
}

/*
 * Gives one frame for a page table (its contents do not matter) or 0 when there is none. The
 * memory allocator puts its own function here when it starts; it must not call kernel_map then.
 */
extern uint64_t (*page_table_frame)(void);

/* A file that was loaded beside the kernel (the initial RAM file system). Reached by phys_to_virt.
 */
struct boot_module {
    uint64_t base, size;
};
#define BOOT_MODULES_MAX 16
extern struct boot_module boot_modules[];
extern unsigned boot_module_count;

/* ACPI's tables, to be read with kernel/acpi/acpi.h. */
struct acpi;
extern struct acpi firmware_tables;

/* ---- page tables of the kernel's half ---- */

enum {
    KERNEL_READ = 0,
    KERNEL_WRITE = 1,
    KERNEL_EXECUTE = 2,  /* not together with KERNEL_WRITE */
    KERNEL_UNCACHED = 4, /* registers of devices */
    KERNEL_LARGE = 8,    /* 2 MiB, both addresses aligned to it */
};

/*
 * Maps one page. 0; -EINVAL: misaligned, writable and executable, or in a top-level slot that is
 * not the kernel's; -EEXIST: something is mapped there; -ENOMEM: no frame for a table. Takes a lock
 * with interrupts off. No flush is needed.
 */
__attribute__((warn_unused_result)) int kernel_map(uintptr_t address, uint64_t physical,
                                                   unsigned flags);
/*
 * Takes one mapping of either size away; returns its physical address, or KERNEL_NOTHING. The
 * caller flushes (tlb_flush_all) before the memory is used for something else.
 */
#define KERNEL_NOTHING (~0ul)
uint64_t kernel_unmap(uintptr_t address);
/*
 * Changes what is allowed on a mapped page, of either size. 0, or -ENOENT, -EINVAL. The caller
 * flushes.
 */
int kernel_protect(uintptr_t address, unsigned flags);
/* The physical address behind any address of the kernel's half, or KERNEL_NOTHING. */
uint64_t kernel_physical(uintptr_t address);

/*
 * The entry for a page of 4 KiB, for whoever changes entries in place, by atomic operations, in
 * addresses where nobody calls kernel_map. Find: NULL when there is no table for it. Make: makes
 * the tables; NULL: no frame for one, or not the kernel's half. Tables stay for ever.
 */
uint64_t *page_entry_find(uintptr_t address);
uint64_t *page_entry_make(uintptr_t address);
/* What to write into one: maps a page as kernel_map would. */
uint64_t page_entry(uint64_t physical, unsigned flags);

/* Registers of a device, uncached. NULL: no frame for a table. Never taken back. */
void *device_map(uint64_t physical, size_t size);

/* Whether string instructions move memory by the block (copy.c); found at boot. */
extern bool string_moves;

/* Physical address of the kernel's own top-level table, which has nothing in its lower half. */
extern uint64_t kernel_page_table;

/* `pages` pages of 4 KiB from `address`; many pages cost the same as everything. */
void tlb_flush_local(uintptr_t address, size_t pages);
/* On every CPU; returns when all have. Same context as cpu_call_others. */
void tlb_flush_all(uintptr_t address, size_t pages);

/* ---- processors ---- */

unsigned cpu_count(void);
/* Stays true only while interrupts or preemption are off. */
static inline unsigned cpu_number(void) {
    unsigned number;
    __asm__ volatile("movl %%gs:-8, %0" : "=r"(number));
    return number;
}
/* Where a CPU's GS base points: its translation table, of which kernel_map maps the pages. The
 * CPU's own block lies below it. */
static inline uintptr_t cpu_table(unsigned number) {
    return CPU_AREAS + number * CPU_AREA_SIZE + 0x100000;
}
/* What a device writes to reach a CPU's local APIC. */
uint32_t cpu_apic_id(unsigned number);
/* The end of the stack a CPU was started on. */
uintptr_t cpu_stack_top(unsigned number);

/*
 * Runs fn(argument) on CPU `number` in interrupt context, or in place when that is this CPU, and
 * returns when it has. While it waits it carries out what others ask of this CPU, so two CPUs may
 * call each other with interrupts off. fn must not call back here, take a lock of anybody who may
 * be waiting here, or touch memory that appears as it is touched (reserves). Not from a trap that
 * may have interrupted one of these.
 */
void cpu_call(unsigned number, void (*fn)(void *), void *argument);
/* The same on every other CPU at once; one such call at a time in the machine. */
void cpu_call_others(void (*fn)(void *), void *argument);
/* Returns after every CPU has passed a full barrier. Same context as cpu_call_others. */
void cpu_barrier_all(void);
/* Makes CPU `number` leave cpu_idle and pass the end of an interrupt. */
void cpu_poke(unsigned number);

/* Sleeps until an interrupt was handled: called with interrupts off, returns with them on. An
 * interrupt that comes between the caller's look for work and the sleep ends the sleep. */
static inline void cpu_idle(void) {
    __asm__ volatile("sti; hlt" ::: "memory");
}

/* One turn of a spinning wait. Does what other CPUs ask of this one, so that whoever spins for
 * something with interrupts off never holds up the CPU that has it and waits for a flush. */
void cpu_wait_turn(void);

static inline uintptr_t interrupts_save(void) {
    uintptr_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags;
}

static inline void interrupts_restore(uintptr_t flags) {
    if (flags & 0x200)
        __asm__ volatile("sti" ::: "memory");
}

static inline void interrupts_enable(void) {
    __asm__ volatile("sti" ::: "memory");
}

static inline void interrupts_disable(void) {
    __asm__ volatile("cli" ::: "memory");
}

static inline bool interrupts_on(void) {
    uintptr_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags & 0x200;
}

/* A lock for the few places below objects; the caller has interrupts off. */
struct spin_lock {
    uint32_t held;
};

static inline void spin_take(struct spin_lock *lock) {
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
            cpu_wait_turn();
}

static inline void spin_release(struct spin_lock *lock) {
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

/* ---- traps ---- */

/* What a trap or a system call saved, as it lies on the stack; traps.S pushes it. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

enum {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_DEVICES = 0x20,     /* first that devices may have */
    VECTOR_DEVICES_END = 0xf0, /* first that they may not */
    VECTOR_TIMER = 0xf0,
    VECTOR_CALL = 0xf1,
    VECTOR_POKE = 0xf2,
    VECTOR_SPURIOUS = 0xff,
};

static inline bool trap_from_user(const struct trap_frame *frame) {
    return frame->cs & 3;
}

/*
 * Who handles a vector; runs with interrupts off. A handler of an interrupt calls
 * interrupt_end() once. Without a handler an exception panics.
 */
void trap_handle(unsigned vector, void (*handler)(struct trap_frame *));
void interrupt_end(void);
/* Called at the end of every trap when set, with interrupts off; may switch to another thread. */
extern void (*trap_leave)(struct trap_frame *);

/*
 * Resolves a page fault on `address` (`error` as the processor gives it) and returns true: the
 * access is made again. Otherwise the kernel panics. Runs with interrupts off.
 */
enum {
    FAULT_PRESENT = 1,
    FAULT_WRITE = 2,
    FAULT_USER = 4,
    FAULT_EXECUTE = 16,
};
extern bool (*kernel_fault)(uintptr_t address, unsigned error);

/* ---- time ---- */

/* Nanoseconds since the kernel was entered, the same on all CPUs, never backwards. */
uint64_t time_ns(void);
/* time_ns() when the time-stamp counter had that value. */
uint64_t clock_ns_at(uint64_t ticks);
void delay_ns(uint64_t ns);
/*
 * Calls fn once in interrupt context on this CPU at or after time_ns() == deadline; replaces what
 * was set before. NULL: nothing. Interrupts must be off.
 */
void timer_set(uint64_t deadline, void (*fn)(void));

/* time_ns() == (time-stamp counter - begin) * ns_per_tick / 2^32, for whoever counts by himself:
 * on any CPU, if they are the same on all. */
struct clock_scale {
    uint64_t begin, ns_per_tick;
    bool same_on_all;
};
struct clock_scale clock_scale(void);

/* Seconds since 1970 by the clock that runs while the machine is off; 0: none. At boot only. */
uint64_t rtc_read(void);

/* ---- boot options and the end ---- */

/* The value of NAME=VALUE on the kernel's command line ("" for NAME alone), copied into `value`;
 * false when it is not there. */
bool boot_option(const char *name, char *value, size_t size);
bool boot_option_set(const char *name);
/* All of them, as they were given. */
const char *boot_options(void);

/* Ends the machine: `status` reaches the launcher when it listens; 0 otherwise means power-off, and
 * anything else a halt. */
_Noreturn void machine_exit(unsigned status);
_Noreturn void machine_power_off(void);
_Noreturn void machine_reboot(void);

/*
 * Starts another kernel, an ELF file of `size` bytes with a PVH note (this one is such), instead of
 * this one and without firmware. Modules are memory below 4 GiB that stays where it is. Files are
 * to be written back before: devices are stopped in the middle of what they do. For threads, on any
 * CPU. Returns only when it cannot: -ENOEXEC: no such file; -ENXIO: the kernel or a module would be
 * where no memory is, or over each other; -E2BIG: too many modules or too long a command line;
 * -ENOMEM; -ENOTSUP: no room below 1 MiB; -EBUSY: under way.
 */
int machine_fast_reboot(const void *image, size_t size, const struct boot_module *modules,
                        unsigned count, const char *command_line);

#endif
