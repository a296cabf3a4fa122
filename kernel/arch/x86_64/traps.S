/*
 * Where the kernel is entered, but for its start, and where it returns to programs.
 *
 * trap_entries: 256 entries that push their number (and a zero where the processor pushes no
 * error), and go on from there into trap(frame) in C in one of three ways.
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
 * trap_debug: a #DB that came from a program moves to the thread's stack, where it may wait like
 * any other exception.
 *
 * system_call_entry: the same frame as a trap's, with a number of its own as the vector.
 *
 * access_off (access.inc) is clac where there is SMAP: a program may set the
 * flag that lifts it. A backtrace recognises a return address between trap_text_begin and
 * trap_text_end, and finds the frame where rsp pointed at the call.
 */
#include "access.inc"
#include "layout.h"

#define GS_BASE     0xc0000101
#define SYSTEM_CALL 256
#define ENOSYS      38

    .section .text.traps, "ax"
    .globl trap_entries, trap_text_begin, trap_text_end

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
    .if vector == 1
    jmp trap_debug
    .elseif vector == 2 || vector == 8 || vector == 18
    jmp trap_separate
    .else
    jmp trap_shared
    .endif
    .set vector, vector + 1
    .endr

.macro push_all_but_rax
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
.endm

.macro save_registers
    pushq %rax
    push_all_but_rax
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
    jz trap_save
    swapgs
trap_save:
    save_registers
    access_off
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
trap_debug:
    testb $3, 24(%rsp)
    jz trap_separate
    swapgs
    pushq %rax
    movq %rsp, %rax
    movq %gs:CPU_TRAP_STACK, %rsp
    pushq 7*8(%rax)                    /* ss, rsp, rflags, cs, rip, error, vector */
    pushq 6*8(%rax)
    pushq 5*8(%rax)
    pushq 4*8(%rax)
    pushq 3*8(%rax)
    pushq 2*8(%rax)
    pushq 1*8(%rax)
    movq (%rax), %rax
    jmp trap_save

    .balign 16
trap_separate:
    save_registers
    access_off
    movl $GS_BASE, %ecx
    rdmsr
    movl %eax, %ebx
    movl %edx, %r12d
    movl TRAP_BYTES(%rsp), %eax        /* above the frame */
    movl TRAP_BYTES+4(%rsp), %edx
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

/*
 * rip is in rcx, rflags in r11; the flags that matter were cleared (user.c), interrupts among them.
 * What C must preserve still has the program's values when the call returns, so only a frame that
 * was changed is loaded in full, by iretq. rcx is an address sysretq can return to: `syscall` stood
 * below USER_END.
 *
 * Between the test of `work` and sysretq interrupts are off: who sets it later sends an interrupt,
 * which comes as soon as the program runs.
 */
    .globl system_call_entry
    .balign 64
system_call_entry:
    swapgs
    movq %rsp, %gs:CPU_PROGRAM_RSP
    movq %gs:CPU_TRAP_STACK, %rsp
    pushq $SELECTOR_USER_DATA | FOR_PROGRAM
    pushq %gs:CPU_PROGRAM_RSP
    pushq %r11
    pushq $SELECTOR_USER_CODE | FOR_PROGRAM
    pushq %rcx
    pushq %rax
    pushq $SYSTEM_CALL
    pushq $-ENOSYS
    push_all_but_rax
    movq TRAP_BYTES + CONTEXT_PERSONALITY(%rsp), %rax
    movq %rsp, %rdi
    sti
    call *(%rax)
system_call_leave:
    cli
    cmpl $0, TRAP_BYTES + CONTEXT_WORK(%rsp)
    jne 2f
1:  cmpq $SYSTEM_CALL, TRAP_VECTOR(%rsp)
    jne 3f
    movq TRAP_R10(%rsp), %r10
    movq TRAP_R9(%rsp), %r9
    movq TRAP_R8(%rsp), %r8
    movq TRAP_RDI(%rsp), %rdi
    movq TRAP_RSI(%rsp), %rsi
    movq TRAP_RDX(%rsp), %rdx
    movq TRAP_RAX(%rsp), %rax
    movq TRAP_RIP(%rsp), %rcx
    movq TRAP_RFLAGS(%rsp), %r11
    movq TRAP_RSP(%rsp), %rsp
    swapgs
    sysretq
2:  movq %rsp, %rdi
    call user_work
    jmp 1b
3:  movq %rsp, %rdi
    call user_frame_check
    jmp trap_return

/* user_enter_frame(frame, top): a copy of the frame ends at `top`, which is above it, so nothing is
 * overwritten before it is read. */
    .globl user_enter_frame
user_enter_frame:
    cli
    movq %rsi, %rsp
    .set at, TRAP_BYTES
    .rept TRAP_BYTES / 8
    .set at, at - 8
    pushq at(%rdi)
    .endr
    jmp system_call_leave
trap_text_end:

/* `syscall` in 32-bit code, which is nobody's: nothing is touched. */
    .globl system_call_refused
system_call_refused:
    movl $-ENOSYS, %eax
    sysretl

/* stack_switch(top, function, argument): goes on in function(argument) on another stack. */
    .globl stack_switch
stack_switch:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    movq %rdx, %rdi
    pushq $0
    jmp *%rsi

    .section .note.GNU-stack, "", @progbits
