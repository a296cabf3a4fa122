/*
 * The miss and intercept operations (stubs.h); stubs_model.c says in C what they do.
 *
 * Register contract, on entry to stub n: the System V calling convention. rdi is self; rsi, rdx,
 * rcx, r8, r9 are up to five arguments; rsp is 8 modulo 16. Changed: r11 and what any call may
 * change. No argument is in a vector register, so none is saved.
 *
 * A stub takes 16 bytes: endbr64 4, mov 6, jmp 5. Frames are linked by rbp and described for
 * unwinders at each instruction, so that a backtrace goes through to the caller.
 */
#ifdef __CET__
#include <cet.h>
#endif

#define METHODS 128 /* K42_MAX_METHODS */

        .text

/* stubs name, common: METHODS stubs that go to `common` with their number in r11. */
        .macro  stubs name, common
        .balign 16
        .type   \name\()_stubs, @function
\name\()_stubs:
        .cfi_startproc
        .set    method, 0
        .rept   METHODS
        .balign 16, 0xcc
        endbr64
        mov     $method, %r11d
        jmp     \common
        .set    method, method + 1
        .endr
        .cfi_endproc
        .size   \name\()_stubs, . - \name\()_stubs

        .pushsection .data.rel.ro, "aw", @progbits
        .globl  \name\()_ops
        .hidden \name\()_ops
        .type   \name\()_ops, @object
        .balign 64
\name\()_ops:
        .set    method, 0
        .rept   METHODS
        .quad   \name\()_stubs + 16 * method
        .set    method, method + 1
        .endr
        .size   \name\()_ops, . - \name\()_ops
        .popsection
        .endm

        stubs   k42_miss, miss
        stubs   k42_intercept, intercept

/* Asks k42_miss for the representative and enters the method there, or returns its error. */
        .hidden k42_miss
        .type   miss, @function
        .balign 16
miss:
        .cfi_startproc
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        push    %rsi                    /* six words: the stack stays aligned to 16 */
        push    %rdx
        push    %rcx
        push    %r8
        push    %r9
        push    %r11
        mov     %r11d, %esi             /* k42_miss(entry, method) */
        call    k42_miss
        test    %rax, %rax
        js      1f
        mov     %rdx, %rdi              /* self is the representative now */
        pop     %r11
        pop     %r9
        pop     %r8
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rbp
        .cfi_remember_state
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        mov     (%rdi), %rax
        jmp     *(%rax, %r11, 8)
1:      .cfi_restore_state
        xor     %edx, %edx
        leave
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   miss, . - miss

/* Lays down struct k42_frame_registers and returns what k42_intercept(frame) returns. */
        .hidden k42_intercept
        .type   intercept, @function
        .balign 16
intercept:
        .cfi_startproc
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        sub     $64, %rsp               /* seven words, and one to align to 16 */
        mov     %rdi, (%rsp)
        mov     %rsi, 8(%rsp)
        mov     %rdx, 16(%rsp)
        mov     %rcx, 24(%rsp)
        mov     %r8, 32(%rsp)
        mov     %r9, 40(%rsp)
        mov     %r11, 48(%rsp)
        mov     %rsp, %rdi
        call    k42_intercept
        leave
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   intercept, . - intercept

        .section .note.GNU-stack, "", @progbits
