/*
 * Segments of programs' own (LDT), and returning to code in them.
 *
 * A table of descriptors belongs to an address space and is loaded with it, where there is one. It
 * never changes: whoever wants another sets that instead, and has every CPU that has the address
 * space loaded go over to it. So with interrupts off this CPU's is what it is, and a selector that
 * was found good just before it is loaded, or returned to, is good: neither can trap in the kernel.
 *
 *     who sets                                 who loads an address space
 *         stores the table                         sets its bit in `cpus` (user_flush.c)
 *         asks the CPUs whose bit is set           reads the table
 *
 * Either the bit is seen, and the CPU asked, or the new table. Owns: `segments` of each CPU's
 * block. The upper half of the stack pointer that a 16-bit stack segment lets programs see is not
 * hidden.
 */
#include "cpu.h"
#include "user_pages.h"

#define DESCRIPTOR_SEGMENTS 0x0000820000000000ul

#define ACCESS_WRITABLE 0x200u /* data; of code: readable */
#define ACCESS_CODE     0x800u
#define ACCESS_SEGMENT  0x1000u
#define ACCESS_PRESENT  0x8000u

void user_segments_load(struct cpu *cpu, const struct user_segments *segments) {
    uint64_t at = (uintptr_t)segments;
    uint16_t selector = segments ? SELECTOR_SEGMENTS : 0;
    if (segments) {
        cpu->descriptors[SELECTOR_SEGMENTS / 8] =
            DESCRIPTOR_SEGMENTS | (segments->count * sizeof segments->descriptors[0] - 1) |
            ((at + offsetof(struct user_segments, descriptors)) & 0xffffff) << 16 |
            ((at + offsetof(struct user_segments, descriptors)) >> 24 & 0xff) << 56;
        cpu->descriptors[SELECTOR_SEGMENTS / 8 + 1] =
            (at + offsetof(struct user_segments, descriptors)) >> 32;
    }
    cpu->segments = segments;
    __asm__ volatile("lldt %0" ::"r"(selector) : "memory");
}

/* 0: no descriptor that a program could use. */
static uint32_t access_of(uint16_t selector) {
    uint32_t access = 0;
    __asm__("lar %1, %0\n\tjz 1f\n\txorl %0, %0\n1:" : "+r"(access) : "r"((uint32_t)selector));
    uint32_t needed = ACCESS_PRESENT | ACCESS_SEGMENT;
    return (access & needed) == needed ? access : 0;
}

static uint32_t limit_of(uint16_t selector) {
    uint32_t limit = 0;
    __asm__("lsl %1, %0" : "+r"(limit) : "r"((uint32_t)selector));
    return limit;
}

uint16_t user_segments_usable(uint16_t selector) {
    if (!(selector & SELECTOR_IS_OWN))
        return selector;
    uint32_t access = access_of(selector);
    return access & ACCESS_WRITABLE || (access && !(access & ACCESS_CODE)) ? selector : 0;
}

/* ---- returning ---- */

static bool may_run(uint16_t selector, uint64_t rip) {
    if (selector == (SELECTOR_USER_CODE | FOR_PROGRAM))
        return true;
    return access_of(selector) & ACCESS_CODE && rip <= limit_of(selector);
}

static bool may_stand(uint16_t selector) {
    if (selector == (SELECTOR_USER_DATA | FOR_PROGRAM))
        return true;
    return (access_of(selector) & (ACCESS_CODE | ACCESS_WRITABLE)) == ACCESS_WRITABLE;
}

/* A program that cannot go on where it was faults at once. */
void user_frame_check(struct trap_frame *frame) {
    if (may_run((uint16_t)frame->cs, frame->rip) && may_stand((uint16_t)frame->ss))
        return;
    frame->cs = SELECTOR_USER_CODE | FOR_PROGRAM;
    frame->ss = SELECTOR_USER_DATA | FOR_PROGRAM;
    frame->rip = USER_END;
}

/* ---- setting ---- */

/* What the processor keeps of a descriptor it keeps until the selector is loaded again. */
static void reload_data_selectors(void) {
    uint16_t ds, es;
    __asm__ volatile("movw %%ds, %0; movw %%es, %1" : "=r"(ds), "=r"(es));
    if (ds & SELECTOR_IS_OWN)
        __asm__ volatile("movw %0, %%ds" ::"r"(user_segments_usable(ds)) : "memory");
    if (es & SELECTOR_IS_OWN)
        __asm__ volatile("movw %0, %%es" ::"r"(user_segments_usable(es)) : "memory");
}

static void go_over(void *argument) {
    const struct user_table *table = argument;
    struct cpu *cpu = cpu_self();
    if (cpu->table != table)
        return;
    user_segments_load(cpu, __atomic_load_n(&table->segments, __ATOMIC_ACQUIRE));
    reload_data_selectors();
}

static bool is_any(unsigned number, const void *argument) {
    (void)number, (void)argument;
    return true;
}

void user_segments_set(struct user_table *table, const struct user_segments *segments) {
    __atomic_store_n(&table->segments, segments, __ATOMIC_SEQ_CST);
    cpu_call_set(table->cpus, is_any, go_over, table);
}
