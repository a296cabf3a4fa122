/*
 * The last the old kernel does for the new one: puts its parts where they belong, over the old one,
 * and goes there as a loader would, in 32 bits without paging.
 *
 * reboot_begin to reboot_end is copied to a page below 1 MiB and runs there, where virtual addresses
 * are physical ones. As C would say it, were there a way back:
 *
 *     void reboot(struct handover *rdi) {
 *         for (struct part *part = rdi->parts; part->to; part++) {
 *             memcpy(part->to, part->from, part->words * 8);
 *             memset(part->to + part->words * 8, 0, part->zero_words * 8);
 *         }
 *         ((void (*)(void))rdi->entry)();            // ebx = rdi->information
 *     }
 *
 * Interrupts are off; no stack is used.
 */
    .section .rodata
    .globl reboot_begin, reboot_end
    .balign 16
    .code64
reboot_begin:
    leaq 8(%rdi), %rdx
1:  movq 0(%rdx), %r8                  /* to, or the end of the list */
    testq %r8, %r8
    jz 2f
    movq 8(%rdx), %rsi
    movq 16(%rdx), %rcx
    movq %rdi, %r9
    movq %r8, %rdi
    rep movsq
    movq 24(%rdx), %rcx
    xorl %eax, %eax
    rep stosq
    movq %r9, %rdi
    addq $32, %rdx
    jmp 1b

2:  movl 0(%rdi), %ebp                 /* entry */
    movl 4(%rdi), %ebx                 /* information */
    movq %cr4, %rax                    /* first of all PCIDs, which need 64 bits */
    andq $~0x20000, %rax
    movq %rax, %cr4
    leaq gdt(%rip), %rax
    movq %rax, gdt_pointer+2(%rip)
    leaq narrow(%rip), %rax
    movl %eax, narrow_pointer(%rip)
    lgdt gdt_pointer(%rip)
    ljmpl *narrow_pointer(%rip)

    .code32
narrow:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl %cr0, %eax
    andl $0x7fffffff, %eax             /* paging */
    movl %eax, %cr0
    movl $0xc0000080, %ecx             /* EFER */
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    xorl %eax, %eax
    movl %eax, %cr4
    jmp *%ebp

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .short 23
    .quad 0
narrow_pointer:
    .long 0
    .short 8
reboot_end:

/* reboot_go(page_table, code, handover): leaves the kernel's own tables. */
    .section .text, "ax"
    .code64
    .globl reboot_go
reboot_go:
    cli
    movq %rdi, %cr3
    movq %rdx, %rdi
    jmp *%rsi

    .section .note.GNU-stack, "", @progbits
