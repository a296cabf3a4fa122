/*
 * Where traps arrive: 256 entries that push their number (and a zero where the processor pushes no
 * error), and two ways on from there into trap(frame) in C.
 *
 * trap_shared: exceptions and interrupts on the stack of the thread. GS is the kernel's unless the
 * trap came from a program.
 *
 * trap_separate: NMI, #MC, #DB, #DF, each on a stack of its own, since they may come when the stack
 * or GS are not the kernel's, even in kernel mode: between a trap's first instruction and its
 * swapgs. With FSGSBASE a program may hold any value in GS, so the base proves nothing either.
 * The CPU's base is therefore kept at the top of the stack, just above the frame; the GS base
 * is loaded from there and put back afterwards.
 *
 * smap_site is patched to clac where there is SMAP: a program may set the flag that lifts it.
 * A backtrace recognises a return address between trap_text_begin and trap_text_end, and finds
 * the frame where rsp pointed at the call.
 */
#define GS_BASE   0xc0000101

    .section .text.traps, "ax"
    .globl trap_entries, trap_text_begin, trap_text_end, smap_site, smap_site_separate

    .balign 16
trap_entries:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && \
        vector != 29 && vector != 30
    pushq $0
    .endif
    pushq $vector
    .if vector == 1 || vector == 2 || vector == 8 || vector == 18
    jmp trap_separate
    .else
    jmp trap_shared
    .endif
    .set vector, vector + 1
    .endr

.macro save_registers
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
.endm

.macro load_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
.endm

    .balign 16
trap_text_begin:
trap_shared:
    testb $3, 24(%rsp)                 /* cs, above vector, error and rip */
    jz 1f
    swapgs
1:  save_registers
smap_site:
    .byte 0x0f, 0x1f, 0x00
    movq %rsp, %rdi
    call trap
    .globl trap_return
trap_return:
    load_registers
    testb $3, 24(%rsp)
    jz 1f
    swapgs
1:  addq $16, %rsp
    iretq

    .balign 16
trap_separate:
    save_registers
smap_site_separate:
    .byte 0x0f, 0x1f, 0x00
    movl $GS_BASE, %ecx
    rdmsr
    movl %eax, %ebx
    movl %edx, %r12d
    movl 22*8(%rsp), %eax              /* above the frame */
    movl 22*8+4(%rsp), %edx
    wrmsr
    movq %rsp, %rdi
    call trap_on_separate_stack
    movl $GS_BASE, %ecx
    movl %ebx, %eax
    movl %r12d, %edx
    wrmsr
    load_registers
    addq $16, %rsp
    iretq
trap_text_end:

/* stack_switch(top, function, argument): goes on in function(argument) on another stack. */
    .globl stack_switch
stack_switch:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    movq %rdx, %rdi
    pushq $0
    jmp *%rsi

    .section .note.GNU-stack, "", @progbits
