/*
 * The local APIC of each CPU: interrupts between CPUs and its timer, by registers in memory or, as
 * x2APIC, by model-specific registers.
 *
 * Every CPU reaches its own APIC at the same address, so this needs no lock; sending is two writes
 * with registers in memory, hence interrupts off.
 */
#include "../../print.h"
#include "cpu.h"

enum {
    ID = 0x20,
    PRIORITY = 0x80,
    END = 0xb0,
    SPURIOUS = 0xf0,
    COMMAND = 0x300,
    COMMAND_TARGET = 0x310,
    TIMER = 0x320,
    PIN0 = 0x350,
    PIN1 = 0x360,
    ERROR = 0x370,
    TIMER_START = 0x380,
    TIMER_LEFT = 0x390,
    TIMER_DIVISOR = 0x3e0,
};

#define MASKED          0x10000u
#define NMI_PIN         0x400u
#define TIMER_BY_TSC    0x40000u
#define SOFTWARE_ENABLE 0x100u
#define BASE_ENABLE     (1ul << 11)
#define BASE_X2APIC     (1ul << 10)
#define COMMAND_PENDING 0x1000u
#define DIVIDE_BY_1     0xbu

static volatile uint32_t *registers;

static uint32_t read(unsigned at) {
    return features.x2apic ? (uint32_t)msr_read(0x800 + at / 16) : registers[at / 4];
}

static void write(unsigned at, uint32_t value) {
    if (features.x2apic)
        msr_write(0x800 + at / 16, value);
    else
        registers[at / 4] = value;
}

void apic_open(uint64_t physical) {
    /* Firmware that switched x2APIC on had reasons, and there is no way back. */
    if (msr_read(MSR_APIC_BASE) & BASE_X2APIC)
        features.x2apic = true;
    if (!features.x2apic) {
        registers = device_map(physical, FRAME_SIZE);
        if (!registers)
            panic("boot: no memory to map the local APIC at 0x%lx", physical);
    }
}

void apic_enable(void) {
    uint64_t base = msr_read(MSR_APIC_BASE) | BASE_ENABLE;
    msr_write(MSR_APIC_BASE, base);
    if (features.x2apic)
        msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
    /* First of all: while the APIC is disabled every other vector is forced to be masked. */
    write(SPURIOUS, SOFTWARE_ENABLE | VECTOR_SPURIOUS);
    write(PRIORITY, 0);
    write(PIN0, MASKED);
    write(PIN1, NMI_PIN);
    write(ERROR, MASKED);
    write(TIMER, features.tsc_deadline ? TIMER_BY_TSC | VECTOR_TIMER : VECTOR_TIMER);
    /* The mode must be set before the first deadline is written; they are different channels. */
    __asm__ volatile("mfence" ::: "memory");
    write(TIMER_DIVISOR, DIVIDE_BY_1);
}

uint32_t apic_id(void) {
    return features.x2apic ? read(ID) : read(ID) >> 24;
}

void apic_send(uint32_t target, uint32_t command) {
    /* What this CPU wrote before must be seen by whom it interrupts; wrmsr alone orders nothing. */
    __asm__ volatile("mfence; lfence" ::: "memory");
    if (features.x2apic) {
        msr_write(0x830, (uint64_t)target << 32 | command);
        return;
    }
    uintptr_t saved = interrupts_save();
    while (read(COMMAND) & COMMAND_PENDING)
        __builtin_ia32_pause();
    write(COMMAND_TARGET, target << 24);
    write(COMMAND, command);
    interrupts_restore(saved);
}

void interrupt_end(void) {
    write(END, 0);
}

void apic_timer_start(uint32_t ticks) {
    write(TIMER_START, ticks);
}

uint32_t apic_timer_left(void) {
    return read(TIMER_LEFT);
}

void apic_deadline(uint64_t ticks) {
    msr_write(MSR_TSC_DEADLINE, ticks);
}
