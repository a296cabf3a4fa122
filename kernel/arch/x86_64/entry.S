/*
 * Where a loader enters the kernel: 32-bit protected mode, paging off, running at the physical
 * address while linked high. Switches to 64 bits on page tables that stand in the image, and calls
 *
 *     kernel_entry(magic, information)    magic 0: PVH, otherwise what Multiboot2 left in eax
 *
 * The tables map the first 4 GiB at 0, at DIRECT_MAP, and the first GiB at KERNEL_BASE. They serve
 * until paging.c has built the real ones, and when another CPU comes up (trampoline.S).
 */
#include "layout.h"

#define BASE 0xffffffff80000000
#define LOW(symbol) (symbol - BASE)

/* Multiboot2: flags of memory, entry in 32 bits, and that the image is not to be moved. */
    .section .multiboot, "a"
    .balign 8
header:
    .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
    .balign 8
    .short 3, 0                        /* entry address */
    .long 12, LOW(entry_multiboot)
    .balign 8
    .short 6, 0                        /* modules on page boundaries */
    .long 8
    .balign 8
    .short 0, 0
    .long 8
header_end:

/* PVH: its entry is found by this note. */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18                     /* sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad LOW(entry_pvh)

    .section .text.entry, "ax"
    .code32
    .globl entry_multiboot, entry_pvh
entry_pvh:
    xorl %eax, %eax
entry_multiboot:
    cli
    cld
    movl %eax, %esi
    /* The time-stamp counter, for the account of where booting took its time. */
    rdtsc
    movl %eax, LOW(entry_time)
    movl %edx, LOW(entry_time) + 4

    movl %cr4, %eax
    orl $0x20, %eax                    /* PAE */
    movl %eax, %cr4
    movl $LOW(boot_page_table), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx             /* EFER: long mode */
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    andl $~0x60000004, %eax            /* caches on, no emulation of the FPU */
    orl $0x80010023, %eax              /* paging, write protection, NE, MP, PE */
    movl %eax, %cr0
    lgdt LOW(boot_gdt_pointer)
    ljmpl $SELECTOR_KERNEL_CODE, $LOW(long_mode)

    .code64
long_mode:
    movabsq $high, %rax
    jmp *%rax
high:
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_end, %rsp
    xorl %ebp, %ebp
    movl %esi, %edi
    movl %ebx, %esi
    call kernel_entry
    ud2

    .section .data
    .balign 8
    .globl entry_time
entry_time:
    .quad 0
    .balign 8
    .globl boot_gdt
boot_gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .short 31
    .long LOW(boot_gdt)

    .balign 4096
    .globl boot_page_table
boot_page_table:
    .quad LOW(boot_low) + 3
    .fill 255, 8, 0
    .quad LOW(boot_low) + 3
    .fill 254, 8, 0
    .quad LOW(boot_high) + 3
boot_low:
    .quad LOW(boot_pages) + 0x0003, LOW(boot_pages) + 0x1003
    .quad LOW(boot_pages) + 0x2003, LOW(boot_pages) + 0x3003
    .fill 508, 8, 0
boot_high:
    .fill 510, 8, 0
    .quad LOW(boot_pages) + 0x0003
    .quad 0
boot_pages:
    .set page, 0
    .rept 2048
    .quad page + 0x83                  /* present, writable, 2 MiB */
    .set page, page + 0x200000
    .endr

    .section .bss
    .balign 16
    .skip 16384
boot_stack_end:

    .section .note.GNU-stack, "", @progbits
