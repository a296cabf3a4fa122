/*
 * What another CPU runs first: copied to a page below 1 MiB, entered there in real mode, it goes to
 * 64 bits in one step on the tables of entry.S, which map that page where it is, and then to
 * secondary_high, in the image.
 *
 * smp.c fills in what depends on the page: the base of the descriptor table and the far jump.
 *
 * secondary_high takes the hand-over, a pointer to struct secondary (smp.c), by an exchange, so
 * that a CPU which comes a second time, or too late, finds nothing and halts for ever.
 */
#include "layout.h"

    .section .rodata
    .globl trampoline_begin, trampoline_end, trampoline_gdt_base, trampoline_jump
    .code16
    .balign 16
trampoline_begin:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl trampoline_gdt - trampoline_begin
    movl $0x20, %eax                   /* PAE */
    movl %eax, %cr4
    movl $boot_page_table - 0xffffffff80000000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80010033, %eax
    movl %eax, %cr0
    ljmpl *(trampoline_jump - trampoline_begin)
    .code64
trampoline_long:
    movq $secondary_high, %rax
    jmp *%rax

    .balign 4
trampoline_gdt:
    .short 31
trampoline_gdt_base:
    .long trampoline_copy_of_gdt - trampoline_begin
trampoline_jump:
    .long trampoline_long - trampoline_begin
    .short SELECTOR_KERNEL_CODE
    .balign 8
trampoline_copy_of_gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
trampoline_end:

    .section .text.entry, "ax"
    .code64
secondary_high:
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    xchgq %rax, secondary_handover
    testq %rax, %rax
    jz 1f
    movq %rax, %rbx
    movl 20(%rbx), %eax                /* nx: bits for EFER, before tables that use them */
    testl %eax, %eax
    jz 2f
    movl $0xc0000080, %ecx
    rdmsr
    orl 20(%rbx), %eax
    wrmsr
2:  movl 16(%rbx), %edi                /* number */
    movq 8(%rbx), %rsp                 /* stack, mapped in the next tables only */
    movq 0(%rbx), %rax
    movq %rax, %cr3
    xorl %ebp, %ebp
    pushq $0
    jmp secondary_entry
1:  cli
    hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
