/*
 * Numbers that assembly and C share: selectors, places in the CPU's block and in a trap's frame.
 * cpu.h and user.c assert that they are so.
 */
#ifndef KERNEL_LAYOUT_H
#define KERNEL_LAYOUT_H

/* Each CPU's descriptor table, in the order that syscall and sysret want. Programs look at theirs,
 * which are Linux's. */
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_CODE32 0x20
#define SELECTOR_USER_DATA   0x28
#define SELECTOR_USER_CODE   0x30
#define SELECTOR_TASK        0x40 /* takes two entries */
#define SELECTOR_SEGMENTS    0x50 /* takes two entries */
#define SELECTOR_NUMBER      0x78 /* for the vDSO */
#define SELECTOR_IS_OWN      4    /* in one of a program's own segments (LDT) */
#define FOR_PROGRAM          3    /* the privilege level in their selectors */

/* From the GS base. */
#define CPU_TRAP_STACK  (-124) /* where a program's entry finds its stack: the task state has it */
#define CPU_PROGRAM_RSP (-24)

/* From the beginning of a struct trap_frame; struct user_context follows it. */
#define TRAP_R11            32
#define TRAP_R10            40
#define TRAP_R9             48
#define TRAP_R8             56
#define TRAP_RDI            72
#define TRAP_RSI            80
#define TRAP_RDX            88
#define TRAP_RCX            96
#define TRAP_RAX            112
#define TRAP_VECTOR         120
#define TRAP_CS             144
#define TRAP_RIP            136
#define TRAP_RFLAGS         152
#define TRAP_RSP            160
#define TRAP_BYTES          176
#define CONTEXT_WORK        0
#define CONTEXT_PERSONALITY 8

#endif
