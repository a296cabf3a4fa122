/*
 * Programs for the checks of user_checks.c, each between NAME and NAME_end, to be copied to
 * PROGRAM_TEXT. All begin with rdi = their argument and a stack; they ask the kernel for
 *
 *     0  nothing: rax becomes rdi + 1          1  the end, with status rdi
 *     2  what the check has the kernel do      3  sleep, while the check's word is zero
 *     4  FS base = rdi, GS base = rsi
 *
 * and end with status 0, or the number of what was wrong. Where an exception is wanted r15 says
 * where to go on.
 */
#include "user_programs.h"

    .section .rodata.programs, "a"

.macro begin name
    .globl \name, \name\()_end
    .balign 16
\name:
.endm

.macro end name
\name\()_end:
.endm

.macro system_call number
    movl $\number, %eax
    syscall
.endm

.macro exit
    system_call 1
    ud2
.endm

.macro must_be register, value, wrong
    movabsq $\value, %rax
    cmpq %rax, \register
    movl $\wrong, %eax
    jne 9f
.endm

/* All registers but rax, rcx and r11 outlive a call, whatever the kernel does with them. */
    begin program_calls
    movl $2000, %ebx
1:  movabsq $0x1122334455667788, %rdi
    leaq 1(%rdi), %rsi
    leaq 2(%rdi), %rdx
    leaq 3(%rdi), %rbp
    leaq 4(%rdi), %r8
    leaq 5(%rdi), %r9
    leaq 6(%rdi), %r10
    leaq 7(%rdi), %r12
    leaq 8(%rdi), %r13
    leaq 9(%rdi), %r14
    leaq 10(%rdi), %r15
    stc
    system_call 0
    jnc 8f
    cmpq %rax, %rsi
    movl $1, %eax
    jne 9f
    must_be %rdi, 0x1122334455667788, 2
    must_be %rsi, 0x1122334455667789, 3
    must_be %rdx, 0x112233445566778a, 4
    must_be %rbp, 0x112233445566778b, 5
    must_be %r8, 0x112233445566778c, 6
    must_be %r9, 0x112233445566778d, 7
    must_be %r10, 0x112233445566778e, 8
    must_be %r12, 0x112233445566778f, 9
    must_be %r13, 0x1122334455667790, 10
    must_be %r14, 0x1122334455667791, 11
    must_be %r15, 0x1122334455667792, 12
    decl %ebx
    jnz 1b
    xorl %eax, %eax
9:  movl %eax, %edi
    exit
8:  movl $13, %edi
    exit
    end program_calls

/* As many calls as rdi says, and nothing else. */
    begin program_null
    movq %rdi, %rbx
1:  xorl %eax, %eax
    syscall
    decq %rbx
    jnz 1b
    xorl %edi, %edi
    exit
    end program_null

.macro fault instruction:vararg
    leaq 7f(%rip), %r15
    \instruction
7:
.endm

/* One exception after the other, which user_checks.c knows by heart. */
    begin program_faults
    movq %rdi, %rbx
    fault ud2
    xorl %ecx, %ecx
    fault divl %ecx
    fault int3
    fault hlt
    fault int $0x80
    fault movq PROGRAM_NOTHING, %rax
    fault movq %rax, program_faults(%rip)
    movl $PROGRAM_DATA, %eax
    fault jmp *%rax
    movq $0xffffffff80100000, %rax
    fault movq (%rax), %rax
    movabsq $0x8000000000000000, %rax
    fault movq (%rax), %rax
    testl $1, %ebx
    jz 1f
    fault sgdt PROGRAM_DATA
1:  xorl %edi, %edi
    exit
    end program_faults

/* Steps through a call; then no more. The labels are where a step must have ended. */
    .globl step_1, step_2, step_3, step_4, step_5, step_6, step_7
    begin program_steps
    xorl %edi, %edi
    pushfq
    orl $0x100, (%rsp)
    popfq
    nop
step_1:
    movl $0, %eax
step_2:
    syscall
step_3:
    nop
step_4:
    pushfq
step_5:
    andl $~0x100, (%rsp)
step_6:
    popfq
step_7:
    decl %eax                          /* the call answered 1 */
    movl %eax, %edi
    exit
    end program_steps

/*
 * Keeps rdi in every kind of register and looks whether it is still there, counting its turns at
 * PROGRAM_DATA, until it is ended from outside. rbx: what was wrong.
 */
    begin program_spins
    movq %rdi, %r12
    movq %r12, PROGRAM_DATA + 64
    movl %r12d, %eax
    andl $63, %eax
    leaq PROGRAM_DATA + 512(,%rax,8), %rdi     /* bases of its own */
    leaq PROGRAM_DATA + 1024(,%rax,8), %rsi
    movq %r12, (%rdi)
    movq %r12, (%rsi)
    system_call 4
    movq %r12, %xmm0
    movq %r12, %xmm15
    fildq PROGRAM_DATA + 64
    movl %r12d, %eax
    andl $7, %eax
    shll $10, %eax                     /* exceptions masked or not, as the argument says */
    orl $0x1f80, %eax
    andl $0xffffe3ff, %eax
    movl %r12d, %edx
    andl $3, %edx
    shll $13, %edx                     /* rounding */
    orl %edx, %eax
    movl %eax, PROGRAM_DATA + 192
    ldmxcsr PROGRAM_DATA + 192
    xorl %ebx, %ebx
1:  movq %xmm0, %rax
    cmpq %r12, %rax
    jne 2f
    movq %xmm15, %rax
    cmpq %r12, %rax
    jne 3f
    fld %st(0)
    fistpq PROGRAM_DATA + 256
    cmpq PROGRAM_DATA + 256, %r12
    jne 4f
    stmxcsr PROGRAM_DATA + 200
    movl PROGRAM_DATA + 200, %eax
    andl $0xe000, %eax                 /* but for what was inexact */
    movl PROGRAM_DATA + 192, %edx
    andl $0xe000, %edx
    cmpl %eax, %edx
    jne 5f
    cmpq %fs:0, %r12
    jne 6f
    cmpq %gs:0, %r12
    jne 7f
    incq PROGRAM_DATA
    jmp 1b
2:  movl $1, %ebx
    jmp 1b
3:  movl $2, %ebx
    jmp 1b
4:  movl $3, %ebx
    jmp 1b
5:  movl $4, %ebx
    jmp 1b
6:  movl $5, %ebx
    jmp 1b
7:  movl $6, %ebx
    jmp 1b
    end program_spins

/* Reads a page that changes under it; 99 is what must never be seen. Until it is ended. */
    begin program_reads
    xorl %ebx, %ebx
    xorl %ecx, %ecx
1:  movq PROGRAM_CHANGES, %rax
    cmpq $99, %rax
    jne 2f
    movl $1, %ebx
2:  incq PROGRAM_DATA(,%rdi,8)
    jmp 1b
    end program_reads

/* Reads the same page before and after it slept. */
    begin program_sleeps
    movl $2, %r12d
1:  movq PROGRAM_CHANGES, %rbx
    system_call 3
    movq PROGRAM_CHANGES, %rdi
    subq %rbx, %rdi
    cmpq $1, %rdi
    jne 2f
    decl %r12d
    jnz 1b
    xorl %edi, %edi
2:  exit
    end program_sleeps

/* Has the kernel check something, with registers that must outlive it. */
    begin program_asks
    movq %rdi, %xmm7
    movq %rdi, %r12
    system_call 2
    movl %eax, %edi
    movq %xmm7, %rcx
    cmpq %rcx, %r12
    je 1f
    orl $0x10000, %edi
1:  exit
    end program_asks

/* Calls the function whose address and arguments stand at PROGRAM_DATA. */
    begin program_function
    movq PROGRAM_DATA + 8, %rdi
    movq PROGRAM_DATA + 16, %rsi
    movq PROGRAM_DATA + 24, %rdx
    call *PROGRAM_DATA
    movq %rax, %rdi
    exit
    end program_function

    .section .note.GNU-stack, "", @progbits
