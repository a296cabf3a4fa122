/*
 * The processor part's inside: what its files share. Nothing outside kernel/arch includes this.
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include "arch.h"
#include "layout.h"
#include "ports.h"
#include "user.h"

#define EXCEPTIONS 32 /* vectors below are the processor's own */

/* Flags of the processor that more than one file knows. */
#define RFLAGS_TRAP      0x100ul
#define RFLAGS_INTERRUPT 0x200ul

/* Stacks of their own for traps that may come when the current one cannot be used. */
enum { STACK_NMI, STACK_MACHINE_CHECK, STACK_DEBUG, STACK_DOUBLE_FAULT, SEPARATE_STACKS };

struct task_state {
    uint32_t unused0;
    uint64_t privileged_stack[3];
    uint64_t unused1;
    uint64_t separate_stack[7];
    uint64_t unused2;
    uint16_t unused3, ports_at;
} __attribute__((packed));

/* What of one address space this CPU may remember while another is loaded: all from before its
 * flush number `generation` is forgotten. With PCID slot i is PCID i + 1, otherwise there is but
 * slot 0. */
#define TABLE_SLOTS 6
struct table_slot {
    uint64_t id, generation;
};

/* Of threads that may use ports, behind what tells the processor which: user_ports.c. */
struct ports_task {
    struct task_state task;
    struct user_ports ports;
    uint8_t end; /* the processor looks at two bytes at once */
} __attribute__((packed));

/* What few threads have loaded: behind their vector registers. */
enum { SELDOM_DEBUG = 1, SELDOM_PORTS = 2, SELDOM_NO_CLOCK = 4 };
struct user_seldom {
    uint64_t uses; /* which of these; 0: nothing need be loaded */
    struct user_debug debug;
    const struct user_ports *ports;
};

/* One function to run on another CPU; lies on the stack of the one who waits for it. */
struct cpu_request {
    void (*fn)(void *);
    void *argument;
    struct cpu_request *next;
    uint32_t done;
};

/*
 * One CPU's block. It ends where the GS base points, so that its members have fixed negative
 * offsets; assembly knows the last two. Written by its own CPU unless a member says otherwise.
 */
struct cpu {
    uint64_t descriptors[16];
    uint32_t apic_id;
    uint32_t online;              /* set once; read by all */
    struct cpu_request *requests; /* pushed by others, taken whole by this CPU */
    uint64_t broadcast_seen;      /* the last cpu_call_others this CPU took part in */
    void (*timer)(void);          /* what to call at timer_deadline, or NULL */
    uint64_t timer_deadline;
    const struct trap_frame *stopped; /* where a panic elsewhere stopped this CPU; read by it */

    /* user.c: whose program's registers are loaded; what the processor remembers of tables. */
    struct user_context *state_owner;
    uint64_t seldom;                      /* what it uses of struct user_seldom, as it is loaded */
    struct user_table *table;             /* loaded; NULL: the kernel's */
    const struct user_segments *segments; /* with it */
    uint32_t lazy; /* a kernel thread runs meanwhile, which does not use it */
    uint32_t slot; /* of `table` */
    uint32_t next_slot;
    struct table_slot slots[TABLE_SLOTS];

    struct task_state task; /* privileged_stack[0] is the running thread's struct user_context */
    uint64_t program_rsp;   /* for traps.S */
    struct cpu *self;       /* at GS base - 16 */
    uint32_t number;        /* at GS base - 8 */
    uint32_t preempt_depth; /* at GS base - 4, of preempt.h */
};
_Static_assert(sizeof(struct cpu) - offsetof(struct cpu, self) == 16, "cpu_self finds it there");
_Static_assert(sizeof(struct cpu) - offsetof(struct cpu, number) == 8, "cpu_number finds it there");

_Static_assert(sizeof(struct cpu) - offsetof(struct cpu, program_rsp) == -CPU_PROGRAM_RSP,
               "traps.S");
_Static_assert(sizeof(struct cpu) - offsetof(struct cpu, task) - 4 == -CPU_TRAP_STACK, "traps.S");

static inline struct cpu *cpu_self(void) {
    struct cpu *self; /* at GS base - 16 */
    __asm__ volatile("movq %%gs:-16, %0" : "=r"(self));
    return self;
}

static inline struct cpu *cpu_block(unsigned number) {
    return (struct cpu *)cpu_table(number) - 1;
}

/* What the processor can do and the command line did not switch off (features.c). */
struct features {
    bool nx, smep, smap, umip, fsgsbase, pcid, x2apic, tsc_deadline, huge_pages, steady_tsc, xsave,
        xsaveopt;
};
extern struct features features;

/* features.c: found once; switched on by each CPU. */
void features_find(void);
void features_enable(void);

/* user.c: system calls on the calling CPU. user_state.c: its FPU and vector registers. */
void user_enable(void);
void user_state_find(void);
void user_state_enable(void);
/* Programs' registers from or to their place in memory, all that the processor was told to have. */
void user_state_save(void *state);
void user_state_load(const void *state);
/* A new program's. */
void user_state_init(void *state);
/* What is behind them. */
struct user_seldom *user_state_seldom(void *state);
/* user_ports.c: NULL: none; interrupts are off. */
void user_ports_load(struct cpu *cpu, const struct user_ports *ports);

/* user_flush.c: has it loaded for a thread that runs a program; interrupts are off. */
void user_table_use(struct cpu *cpu, struct user_table *table);

/* user_segments.c: interrupts are off; NULL: none. */
struct user_segments;
void user_segments_load(struct cpu *cpu, const struct user_segments *segments);
/* A selector that a program had loaded, or 0 if it cannot be loaded any more. */
uint16_t user_segments_usable(uint16_t selector);
/* Makes a frame of 32 bits, or with selectors of a program's own, one that the processor returns
 * to.
 */
void user_frame_check(struct trap_frame *frame);

/* user_traps.c: an exception that a program caused; interrupts are off before and after. */
void user_exception(struct trap_frame *frame);
/* A page fault or #GP in the kernel: true when it can go on. */
bool user_access_fault(struct trap_frame *frame, uintptr_t address);
/* What is to be done before a program goes on; interrupts are off before and after. */
void user_work(struct trap_frame *frame);

/* traps.S */
void system_call_entry(void);
void system_call_refused(void);
_Noreturn void user_enter_frame(const struct trap_frame *frame, struct user_context *top);

/* calls.c: runs fn(argument) on each CPU whose bit is set and that is wanted, this one included, at
 * once, and waits for all. The bits may change meanwhile. As cpu_call otherwise. */
void cpu_call_set(const uint64_t *set, bool (*wanted)(unsigned number, const void *argument),
                  void (*fn)(void *), void *argument);

/* boot_info.c: what the loader handed over, in one form whatever its protocol. */
void boot_info_read(uint32_t magic, uint32_t information);
extern uint64_t boot_rsdp; /* 0: to be searched */

/* memory_map.c */
void memory_map_add(uint64_t base, uint64_t size, bool usable);
/* Afterwards [base, base + size) belongs to whoever asked. */
void memory_map_take(uint64_t base, uint64_t size);
/* Whole pages below 1 MiB, for the code that starts CPUs or kernels; 0: none. */
uint64_t memory_map_take_low(uint64_t size);
uint64_t frame_allocate_early(void);
/* All that the loader said is RAM, used or not, for the direct map. */
extern struct memory_range ram_ranges[];
extern unsigned ram_range_count;

/* paging.c: builds the kernel's tables and goes over to them. */
void paging_open(void);
/* Fills what is left of the kernel's top-level slots; none is added afterwards. */
void paging_seal(void);
/* Makes tables that firmware keeps in memory readable at their place in the direct map. */
const void *firmware_map(uint64_t physical, size_t size);

/* cpu.c */
void cpu_open_early(void);
void cpu_open(unsigned number, uint32_t apic_id);
/* Loads descriptor tables and the GS base of the calling CPU. */
void cpu_load(unsigned number);
/* Has the calling CPU look there from now on for its stacks, and for who may use ports. */
void cpu_task_load(struct cpu *cpu, const struct task_state *task, size_t size);
static inline struct ports_task *cpu_ports_task(unsigned number) {
    return (struct ports_task *)(CPU_AREAS + number * CPU_AREA_SIZE + 0x80000);
}

/* traps.c */
void traps_open(void);
void traps_load(void);
void traps_use_separate_stacks(void);

/* apic.c */
void apic_open(uint64_t physical);
void apic_enable(void);
uint32_t apic_id(void);
void apic_send(uint32_t apic_id, uint32_t command);
uint32_t apic_timer_left(void);
void apic_timer_start(uint32_t ticks);
/* The timer's interrupt at `deadline` in the time-stamp counter's ticks. */
void apic_deadline(uint64_t ticks);
#define APIC_NMI   0x400u
#define APIC_INIT  0x4500u
#define APIC_START 0x600u  /* or the page's number */
#define APIC_SEND  0x4000u /* or the vector */

/* clock.c */
void clock_open(uint64_t hpet);
uint64_t clock_timer_rate(void); /* ticks of the APIC's timer a second */
uint64_t clock_ticks_at(uint64_t ns);
uint64_t clock_rate(void);
extern uint64_t entry_time;

/* The CPUs' counters are not the same. */
void clock_differs(void);

/* tsc.c: on a CPU that starts; and meanwhile again and again on the boot CPU. */
void tsc_follow(void);
void tsc_answer(void);

/* timer.c */
void timer_open(void);

/* calls.c */
void calls_open(void);

/* smp.c */
void smp_start(void);
/* Descriptors of CPUs that answer; those that do not are left out. */
void smp_count(unsigned count);

/* fast_reboot.c: keeps the memory that it wants. */
void fast_reboot_open(void);

/* power.c */
struct acpi;
void power_open(const struct acpi *acpi);

/* boot.c */
void kernel_entry(uint32_t magic, uint32_t information);
/* traps.S: goes on in fn on another stack. */
_Noreturn void stack_switch(uintptr_t top, void (*fn)(void *), void *argument);
void boot_mark(const char *what);

#endif
