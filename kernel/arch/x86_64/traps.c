/*
 * Traps in C: one table of gates for all CPUs, one handler a vector, and what happens when there is
 * none.
 *
 * Owns: gates, handlers. Written at boot and by whoever takes a vector (drivers, once each); a
 * handler is one word, so a trap sees the old or the new one.
 */
#include "../../print.h"
#include "cpu.h"

#define GATE_INTERRUPT 0x8e00 /* present, interrupts off */
#define FOR_PROGRAMS   0x6000 /* programs may raise it with int */

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, unused;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static struct gate gates[256] __attribute__((aligned(16)));
static void (*handlers[256])(struct trap_frame *);
void (*trap_leave)(struct trap_frame *);
bool (*kernel_fault)(uintptr_t address, unsigned error);

extern char trap_entries[];
void trap(struct trap_frame *frame);
void trap_on_separate_stack(struct trap_frame *frame);

static const char *const exception_names[32] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid instruction",
    "no FPU",
    "double fault",
    "FPU segment",
    "invalid TSS",
    "segment not present",
    "stack segment",
    "protection",
    "page fault",
    "reserved",
    "x87 error",
    "alignment",
    "machine check",
    "vector error",
    "virtualization",
    "control protection",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "reserved",
    "hypervisor",
    "VMM communication",
    "security",
    "reserved",
};

void trap_handle(unsigned vector, void (*handler)(struct trap_frame *)) {
    __atomic_store_n(&handlers[vector], handler, __ATOMIC_RELEASE);
}

static _Noreturn void fail(const struct trap_frame *frame) {
    if (frame->vector == VECTOR_PAGE_FAULT)
        panic_trap(frame, "page fault: %s of 0x%lx, which is %s",
                   frame->error & FAULT_EXECUTE ? "execution"
                   : frame->error & FAULT_WRITE ? "write"
                                                : "read",
                   read_cr2(), frame->error & FAULT_PRESENT ? "forbidden there" : "not mapped");
    if (frame->vector < 32)
        panic_trap(frame, "%s, error 0x%lx", exception_names[frame->vector], frame->error);
    panic_trap(frame, "interrupt %lu came, which nobody handles", frame->vector);
}

static void dispatch(struct trap_frame *frame) {
    void (*handler)(struct trap_frame *) =
        __atomic_load_n(&handlers[frame->vector], __ATOMIC_ACQUIRE);
    if (!handler)
        fail(frame);
    handler(frame);
}

void trap(struct trap_frame *frame) {
    bool user = trap_from_user(frame);
    if (user && frame->vector < EXCEPTIONS)
        user_exception(frame);
    else
        dispatch(frame);
    if (trap_leave)
        trap_leave(frame);
    if (user)
        user_work(frame);
    if (user && (frame->cs != (SELECTOR_USER_CODE | FOR_PROGRAM) || frame->ss & SELECTOR_IS_OWN))
        user_frame_check(frame);
}

/* Nothing else may happen here: the thread below may be anywhere. */
void trap_on_separate_stack(struct trap_frame *frame) {
    dispatch(frame);
}

/* In the kernel. The lower half is programs'. */
static void page_fault(struct trap_frame *frame) {
    uintptr_t address = read_cr2();
    if (address < DIRECT_MAP) {
        if (!user_access_fault(frame, address))
            fail(frame);
    } else if (!kernel_fault || !kernel_fault(address, (unsigned)frame->error)) {
        fail(frame);
    }
}

static void protection(struct trap_frame *frame) {
    if (!user_access_fault(frame, 0))
        fail(frame);
}

/*
 * In the kernel: what a program had asked the processor to stop at may come an instruction late,
 * when that instruction entered the kernel. It is no longer of interest.
 */
static void debug(struct trap_frame *frame) {
    write_dr6(DR6_NOTHING);
    frame->rflags &= ~RFLAGS_TRAP;
}

/* One that was withdrawn before it could be delivered; wants no interrupt_end. */
static void spurious(struct trap_frame *frame) {
    (void)frame;
}

static void set_gate(unsigned vector, unsigned flags) {
    uintptr_t at = (uintptr_t)trap_entries + 16 * vector;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)at,
        .selector = SELECTOR_KERNEL_CODE,
        .flags = (uint16_t)flags,
        .offset_middle = (uint16_t)(at >> 16),
        .offset_high = (uint32_t)(at >> 32),
    };
}

void traps_open(void) {
    for (unsigned vector = 0; vector < 256; vector++)
        set_gate(vector, GATE_INTERRUPT);
    set_gate(3, GATE_INTERRUPT | FOR_PROGRAMS);
    set_gate(4, GATE_INTERRUPT | FOR_PROGRAMS);
    trap_handle(VECTOR_PAGE_FAULT, page_fault);
    trap_handle(VECTOR_PROTECTION, protection);
    trap_handle(VECTOR_DEBUG, debug);
    trap_handle(VECTOR_SPURIOUS, spurious);
    traps_load();
}

void traps_use_separate_stacks(void) {
    set_gate(VECTOR_NMI, GATE_INTERRUPT | (STACK_NMI + 1));
    set_gate(VECTOR_MACHINE_CHECK, GATE_INTERRUPT | (STACK_MACHINE_CHECK + 1));
    set_gate(VECTOR_DEBUG, GATE_INTERRUPT | (STACK_DEBUG + 1));
    set_gate(VECTOR_DOUBLE_FAULT, GATE_INTERRUPT | (STACK_DOUBLE_FAULT + 1));
}

void traps_load(void) {
    struct table_pointer pointer = {sizeof gates - 1, (uintptr_t)gates};
    __asm__ volatile("lidt %0" ::"m"(pointer));
}
