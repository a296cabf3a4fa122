/* Instructions that C has no words for: ports, model-specific registers, CPUID, control registers.
 */
#ifndef KERNEL_PORTS_H
#define KERNEL_PORTS_H

#include <stdint.h>

static inline void port_write8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void port_write16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t port_read8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t port_read16(uint16_t port) {
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#define MSR_TSC          0x10
#define MSR_TSC_ADJUST   0x3b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_APIC_BASE    0x1b
#define MSR_EFER         0xc0000080
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_CSTAR        0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE      0xc0000100
#define MSR_GS_BASE      0xc0000101
#define MSR_OTHER_GS     0xc0000102 /* a program's, while the kernel runs */
#define DR6_NOTHING      0xffff0ff0ul
#define EFER_SCE         0x001
#define EFER_NXE         0x800

static inline uint64_t msr_read(uint32_t number) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t number, uint64_t value) {
    __asm__ volatile("wrmsr" ::"c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid id;
    __asm__ volatile("cpuid"
                     : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
                     : "a"(leaf), "c"(subleaf));
    return id;
}

/* The time-stamp counter, not before anything that stands before it. */
static inline uint64_t read_tsc(void) {
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t read_cr2(void) {
    uint64_t value;
    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr3(void) {
    uint64_t value;
    __asm__ volatile("movq %%cr3, %0" : "=r"(value)::"memory");
    return value;
}

static inline void write_cr3(uint64_t value) {
    __asm__ volatile("movq %0, %%cr3" ::"r"(value) : "memory");
}

static inline uint64_t read_cr0(void) {
    uint64_t value;
    __asm__ volatile("movq %%cr0, %0" : "=r"(value)::"memory");
    return value;
}

static inline void write_cr0(uint64_t value) {
    __asm__ volatile("movq %0, %%cr0" ::"r"(value) : "memory");
}

/* What caused a debug trap; the next one adds to it. */
static inline uint64_t read_dr6(void) {
    uint64_t value;
    __asm__ volatile("movq %%dr6, %0" : "=r"(value));
    return value;
}

static inline void write_dr6(uint64_t value) {
    __asm__ volatile("movq %0, %%dr6" ::"r"(value));
}

/* Where a program is to be stopped, and at what. */
static inline void write_debug_registers(const uint64_t address[4], uint64_t control) {
    __asm__ volatile("movq %0, %%dr7" ::"r"(0ul));
    __asm__ volatile(
        "movq %0, %%dr0; movq %1, %%dr1; movq %2, %%dr2; movq %3, %%dr3" ::"r"(address[0]),
        "r"(address[1]), "r"(address[2]), "r"(address[3]));
    __asm__ volatile("movq %0, %%dr7" ::"r"(control) : "memory");
}

static inline uint64_t read_cr4(void) {
    uint64_t value;
    __asm__ volatile("movq %%cr4, %0" : "=r"(value)::"memory");
    return value;
}

static inline void write_cr4(uint64_t value) {
    __asm__ volatile("movq %0, %%cr4" ::"r"(value) : "memory");
}

#endif
