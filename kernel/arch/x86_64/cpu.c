/*
 * Each CPU's own memory: its block, its descriptor tables, its stacks, laid out in its area of
 * CPU_AREAS with an unmapped page below every stack, so that overflowing one is a fault.
 *
 *     area + 64 KiB            the stack it starts on, 16 KiB
 *     area + 128, 160 ... KiB  one stack of 8 KiB for each trap that wants its own
 *     area + 512 KiB           its other task state, for programs that may use ports
 *     area + 1 MiB - 4 KiB     its block, at the end of the page
 *     area + 1 MiB             its GS base: the runtime's translation table
 *
 * Until the boot CPU has its area, a block in the image serves, with no separate stacks.
 */
#include "cpu.h"
#include "../../print.h"
#include "user.h"

#define STACK_SIZE          0x4000ul
#define SEPARATE_STACK_SIZE 0x2000ul
#define DESCRIPTOR_CODE     0x00af9b000000ffff
#define DESCRIPTOR_DATA     0x00cf93000000ffff
#define DESCRIPTOR_CODE32   0x00cffb000000ffff
#define DESCRIPTOR_USER     0x00cff3000000ffff
#define DESCRIPTOR_USER64   0x00affb000000ffff
#define DESCRIPTOR_NUMBER   0x0040f10000000000
#define DESCRIPTOR_TASK     0x0000890000000000

/* Of a CPU that runs no thread yet. */
static struct user_context no_context;

static struct {
    char unused[FRAME_SIZE - sizeof(struct cpu)];
    struct cpu cpu;
} early __attribute__((aligned(FRAME_SIZE)));

void cpu_open_early(void) {
    early.cpu.self = &early.cpu;
    msr_write(MSR_GS_BASE, (uintptr_t)(&early + 1));
}

static uintptr_t area(unsigned number) {
    return CPU_AREAS + number * CPU_AREA_SIZE;
}

uint32_t cpu_apic_id(unsigned number) {
    return cpu_block(number)->apic_id;
}

uintptr_t cpu_stack_top(unsigned number) {
    return area(number) + 0x10000 + STACK_SIZE;
}

static uintptr_t separate_stack_top(unsigned number, unsigned stack) {
    return area(number) + 0x20000 + stack * 0x8000 + SEPARATE_STACK_SIZE;
}

static void map_new(uintptr_t begin, uintptr_t end) {
    for (uintptr_t at = begin; at < end; at += FRAME_SIZE) {
        uint64_t frame = page_table_frame();
        if (!frame || kernel_map(at, frame, KERNEL_WRITE))
            panic("boot: no memory for the stacks of CPU %lu", (begin - CPU_AREAS) / CPU_AREA_SIZE);
    }
}

static void describe_task(struct cpu *cpu, const struct task_state *task, size_t size) {
    uint64_t at = (uintptr_t)task;
    cpu->descriptors[SELECTOR_TASK / 8] =
        DESCRIPTOR_TASK | (size - 1) | (at & 0xffffff) << 16 | (at >> 24 & 0xff) << 56;
    cpu->descriptors[SELECTOR_TASK / 8 + 1] = at >> 32;
}

/* The processor takes none that was loaded before: the descriptor is written anew. */
void cpu_task_load(struct cpu *cpu, const struct task_state *task, size_t size) {
    describe_task(cpu, task, size);
    __asm__ volatile("ltr %w0" ::"r"(SELECTOR_TASK) : "memory");
}

static void fill_descriptors(struct cpu *cpu) {
    cpu->descriptors[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE;
    cpu->descriptors[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA;
    cpu->descriptors[SELECTOR_USER_CODE32 / 8] = DESCRIPTOR_CODE32;
    cpu->descriptors[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER;
    cpu->descriptors[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER64;
    describe_task(cpu, &cpu->task, sizeof cpu->task);
    /* A program learns its CPU's number by asking for this one's limit. */
    cpu->descriptors[SELECTOR_NUMBER / 8] =
        DESCRIPTOR_NUMBER | (cpu->number & 0xffff) | (uint64_t)(cpu->number >> 16 & 15) << 48;
}

static void fill_task(struct cpu *cpu) {
    cpu->task.ports_at = sizeof cpu->task; /* programs may use no ports */
    cpu->task.privileged_stack[0] = (uintptr_t)&no_context;
    for (unsigned stack = 0; stack < SEPARATE_STACKS; stack++) {
        /* Above the frame, for traps.S: this CPU's GS base. */
        uint64_t *top = (uint64_t *)separate_stack_top(cpu->number, stack) - 2;
        *top = cpu_table(cpu->number);
        cpu->task.separate_stack[stack] = (uintptr_t)top;
    }
    struct ports_task *ports = cpu_ports_task(cpu->number);
    ports->task = cpu->task;
    ports->task.ports_at = offsetof(struct ports_task, ports);
    ports->end = 0xff;
}

void cpu_open(unsigned number, uint32_t apic_id) {
    uintptr_t page = cpu_table(number) - FRAME_SIZE;
    map_new(page, page + FRAME_SIZE);
    map_new(cpu_stack_top(number) - STACK_SIZE, cpu_stack_top(number));
    for (unsigned stack = 0; stack < SEPARATE_STACKS; stack++)
        map_new(separate_stack_top(number, stack) - SEPARATE_STACK_SIZE,
                separate_stack_top(number, stack));
    uintptr_t ports = (uintptr_t)cpu_ports_task(number);
    map_new(ports, ports + sizeof(struct ports_task));
    struct cpu *cpu = cpu_block(number);
    *cpu = (struct cpu){.self = cpu, .number = number, .apic_id = apic_id};
    fill_descriptors(cpu);
    fill_task(cpu);
}

void cpu_load(unsigned number) {
    struct cpu *cpu = cpu_block(number);
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof cpu->descriptors - 1, (uintptr_t)cpu->descriptors};
    __asm__ volatile("lgdt %0\n\t"
                     "movl %1, %%eax\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%fs\n\t"
                     "movl %%eax, %%gs\n\t"
                     "pushq %2\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:" ::"m"(pointer),
                     "i"(SELECTOR_KERNEL_DATA), "i"(SELECTOR_KERNEL_CODE)
                     : "rax", "memory");
    msr_write(MSR_GS_BASE, cpu_table(number));
    cpu_task_load(cpu, &cpu->task, sizeof cpu->task);
    user_enable();
}
