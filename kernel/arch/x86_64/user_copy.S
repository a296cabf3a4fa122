/*
 * The kernel's accesses to memory of programs (user_copy.h), in words of eight bytes, and by string
 * instructions where copy.c says.
 *
 * A fault that nobody resolves in a block of words lands in the loop of bytes, which does the block
 * once more up to the byte that faults, so what is not copied is exact. Whoever has the access flag
 * set when a fault comes finds it set again afterwards: it is saved with the flags.
 *
 * Registers: as C calls functions; none that must be preserved is used.
 */
#include "access.inc"

#define USER_END 0x7ffffffff000
#define EFAULT   14
#define NAMETOOLONG 36

    .section .text.user_copy, "ax"

/* Refuses when [base, base + size) is not a program's. As C would say it:
 *     if (size > USER_END || base > USER_END - size) goto refused; */
.macro check_range base, size, refused
    movabsq $USER_END, %rax
    subq \size, %rax
    jb \refused
    cmpq %rax, \base
    ja \refused
.endm

.macro move_quarter at
    may_fault copy_bytes, movq \at(%rsi), %rax
    may_fault copy_bytes, movq 8+\at(%rsi), %rcx
    may_fault copy_bytes, movq 16+\at(%rsi), %r8
    may_fault copy_bytes, movq 24+\at(%rsi), %r9
    may_fault copy_bytes, movq %rax, \at(%rdi)
    may_fault copy_bytes, movq %rcx, 8+\at(%rdi)
    may_fault copy_bytes, movq %r8, 16+\at(%rdi)
    may_fault copy_bytes, movq %r9, 24+\at(%rdi)
.endm

/* to rdi, from rsi, size rdx */
    .globl user_copy_in, user_copy_out
    .balign 16
user_copy_in:
    check_range %rsi, %rdx, copy_refused
    jmp copy
copy_refused:
    movq %rdx, %rax
    ret
    .balign 16
user_copy_out:
    check_range %rdi, %rdx, copy_refused
copy:
    access_on
    cmpq $512, %rdx
    jb copy_pieces
    cmpb $0, string_moves(%rip)
    jne copy_string
    /* Whole pages are what is copied most. */
copy_block:
    .irp at, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
    move_quarter \at
    .endr
    addq $512, %rsi
    addq $512, %rdi
    subq $512, %rdx
    cmpq $512, %rdx
    jae copy_block
copy_pieces:
    cmpq $128, %rdx
    jb copy_quarters
copy_piece:
    .irp at, 0, 32, 64, 96
    move_quarter \at
    .endr
    subq $-128, %rsi
    subq $-128, %rdi
    addq $-128, %rdx
    cmpq $128, %rdx
    jae copy_piece
copy_quarters:
    cmpq $32, %rdx
    jb copy_words
copy_quarter:
    move_quarter 0
    addq $32, %rsi
    addq $32, %rdi
    subq $32, %rdx
    cmpq $32, %rdx
    jae copy_quarter
copy_words:
    cmpq $8, %rdx
    jb copy_bytes
copy_word:
    may_fault copy_byte, movq (%rsi), %rax
    may_fault copy_byte, movq %rax, (%rdi)
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %rdx
    cmpq $8, %rdx
    jae copy_word
copy_bytes:
    testq %rdx, %rdx
    jz copy_done
copy_byte:
    may_fault copy_done, movb (%rsi), %al
    may_fault copy_done, movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz copy_byte
copy_done:
    access_off
    movq %rdx, %rax
    ret
copy_string:
    movq %rdx, %rcx
    shrq $3, %rcx
    andl $7, %edx
    may_fault copy_string_stopped, rep movsq
    jmp copy_bytes
copy_string_stopped:
    leaq (%rdx,%rcx,8), %rdx
    jmp copy_bytes

/* to rdi, size rsi */
    .globl user_zero
    .balign 16
user_zero:
    check_range %rdi, %rsi, zero_refused
    xorl %eax, %eax
    access_on
    cmpq $128, %rsi
    jb zero_words
    cmpb $0, string_moves(%rip)
    jne zero_string
zero_piece:
    .irp at, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
    may_fault zero_bytes, movq %rax, \at(%rdi)
    .endr
    subq $-128, %rdi
    addq $-128, %rsi
    cmpq $128, %rsi
    jae zero_piece
zero_words:
    cmpq $8, %rsi
    jb zero_bytes
zero_word:
    may_fault zero_byte, movq %rax, (%rdi)
    addq $8, %rdi
    subq $8, %rsi
    cmpq $8, %rsi
    jae zero_word
zero_bytes:
    testq %rsi, %rsi
    jz zero_done
zero_byte:
    may_fault zero_done, movb %al, (%rdi)
    incq %rdi
    decq %rsi
    jnz zero_byte
zero_done:
    access_off
zero_refused:
    movq %rsi, %rax
    ret
zero_string:
    movq %rsi, %rcx
    shrq $3, %rcx
    andl $7, %esi
    may_fault zero_string_stopped, rep stosq
    jmp zero_bytes
zero_string_stopped:
    leaq (%rsi,%rcx,8), %rsi
    jmp zero_bytes

/* value rdi, from rsi */
.macro get bits, move, register, bytes
    .globl user_get\bits
    .balign 16
user_get\bits:
    movabsq $USER_END - \bytes, %rax
    xorl %ecx, %ecx
    cmpq %rax, %rsi
    ja 2f
    access_on
    may_fault 1f, \move (%rsi), \register
    access_off
    \move \register, (%rdi)
    xorl %eax, %eax
    ret
1:  access_off
2:  xorl %ecx, %ecx
    \move \register, (%rdi)
    movl $-EFAULT, %eax
    ret
.endm

/* to rdi, value rsi */
.macro put bits, move, register, bytes
    .globl user_put\bits
    .balign 16
user_put\bits:
    movabsq $USER_END - \bytes, %rax
    cmpq %rax, %rdi
    ja 2f
    access_on
    may_fault 1f, \move \register, (%rdi)
    access_off
    xorl %eax, %eax
    ret
1:  access_off
2:  movl $-EFAULT, %eax
    ret
.endm

    get 8, movb, %cl, 1
    get 16, movw, %cx, 2
    get 32, movl, %ecx, 4
    get 64, movq, %rcx, 8
    put 8, movb, %sil, 1
    put 16, movw, %si, 2
    put 32, movl, %esi, 4
    put 64, movq, %rsi, 8

/*
 * to rdi, from rsi, size rdx: user_string_in. A word at a time while a word cannot reach into a
 * page that the string does not: the first one only if it ends in its page, the others aligned. A
 * word w has a zero byte where (w - 01...01) & ~w & 80...80 has its lowest bit set.
 *
 * rdx is cut to what is left of programs' addresses, r11 says what the end of it means.
 * r8 is where the string began, r9 and r10 the patterns.
 */
    .globl user_string_in
    .balign 16
user_string_in:
    movabsq $USER_END, %rax
    movq $-NAMETOOLONG, %r11
    subq %rsi, %rax
    jbe string_refused
    cmpq %rax, %rdx
    jbe 1f
    movq %rax, %rdx
    movq $-EFAULT, %r11
1:  movq %rsi, %r8
    movabsq $0x0101010101010101, %r9
    movabsq $0x8080808080808080, %r10
    access_on
    movl %esi, %ecx
    andl $0xfff, %ecx
    cmpl $0xff8, %ecx
    ja string_bytes
    cmpq $8, %rdx
    jb string_bytes
    may_fault string_bytes, movq (%rsi), %rax
    movq %rax, (%rdi)
    movq %rax, %rcx
    subq %r9, %rcx
    notq %rax
    andq %rax, %rcx
    andq %r10, %rcx
    jnz string_found
    leaq 8(%rsi), %rcx                 /* on to the next word that is aligned */
    andq $-8, %rcx
    subq %rsi, %rcx
    addq %rcx, %rsi
    addq %rcx, %rdi
    subq %rcx, %rdx
string_word:
    cmpq $8, %rdx
    jb string_bytes
    may_fault string_bytes, movq (%rsi), %rax
    movq %rax, (%rdi)
    movq %rax, %rcx
    subq %r9, %rcx
    notq %rax
    andq %rax, %rcx
    andq %r10, %rcx
    jnz string_found
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %rdx
    jmp string_word
string_found:
    access_off
    bsfq %rcx, %rcx
    shrl $3, %ecx
    leaq (%rsi,%rcx), %rax
    subq %r8, %rax
    ret
string_bytes:
    testq %rdx, %rdx
    jz string_end
    may_fault string_fault, movb (%rsi), %al
    movb %al, (%rdi)
    testb %al, %al
    jz string_done
    incq %rsi
    incq %rdi
    decq %rdx
    /* Aligned again: words. */
    testb $7, %sil
    jnz string_bytes
    jmp string_word
string_done:
    access_off
    movq %rsi, %rax
    subq %r8, %rax
    ret
string_end:
    access_off
    movq %r11, %rax
    ret
string_fault:
    access_off
string_refused:
    movq $-EFAULT, %rax
    ret

/* at rdi, expected rsi, desired edx */
    .globl user_compare_exchange32
    .balign 16
user_compare_exchange32:
    movabsq $USER_END - 4, %rax
    cmpq %rax, %rdi
    ja 2f
    movl (%rsi), %eax
    access_on
    may_fault 1f, lock cmpxchgl %edx, (%rdi)
    access_off
    movl %eax, (%rsi)
    xorl %eax, %eax
    ret
1:  access_off
2:  movl $-EFAULT, %eax
    ret

/* at rdi, components esi; for user_state.c, which checks the range */
.macro state name, instruction:vararg
    .globl user_\name
    .balign 16
user_\name:
    movl %esi, %eax
    xorl %edx, %edx
    access_on
    may_fault 1f, \instruction
    access_off
    xorl %eax, %eax
    ret
1:  access_off
    movl $-EFAULT, %eax
    ret
.endm

    state xsave, xsave64 (%rdi)
    state xrstor, xrstor64 (%rdi)
    state fxsave, fxsave64 (%rdi)
    state fxrstor, fxrstor64 (%rdi)

    .section .note.GNU-stack, "", @progbits
