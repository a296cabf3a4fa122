/*
 * From one kernel stack to another.
 *
 * thread_switch(from, to): what a called function must preserve goes onto the stack, *from gets the
 * stack pointer, `to` becomes it, and the same registers come off that stack. As C would say it:
 *
 *     void thread_switch(uint64_t **from, uint64_t *to) {
 *         if (!setjmp(*from))
 *             longjmp(to);
 *     }
 *
 * Vector registers are no kernel's. Interrupts are off, here and where it returns to.
 *
 * A new thread's stack is laid out (thread.c) as if it had been switched out with thread_entry as
 * its return address, so that is where its first turn begins: with rsp 16-byte aligned and rbp
 * zero, which ends backtraces.
 */
        .text
        .globl  thread_switch
        .type   thread_switch, @function
        .balign 16
thread_switch:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .size   thread_switch, . - thread_switch

        .globl  thread_entry
        .type   thread_entry, @function
        .balign 16
thread_entry:
        call    thread_begin
        ud2
        .size   thread_entry, . - thread_entry

        .section .note.GNU-stack, "", @progbits
