/*
 * A handler's frame on the program's stack, as Linux lays it out, and the way back from it.
 *
 *     return address   the program's restorer, which calls rt_sigreturn
 *     ucontext         flags, link, stack, registers, mask
 *     siginfo
 *     ...              FPU and vector registers, aligned to 64
 *
 * What comes back is whatever the program left there: every value is taken over only where a
 * program could set it itself (user_frame_harmless), and a frame that cannot be read ends it.
 */
#include "deliver.h"

#include "../../arch/x86_64/user.h"
#include "../abi.h"
#include "../program.h"
#include "../task.h"

#include <k42/k42.h>

#define RED_ZONE 128

#define FLAGS_TO_PROGRAM 0x3f4dd5ul /* arithmetic, direction, trap, alignment, ID */
#define FLAG_TRAP        0x100ul
#define FLAG_DIRECTION   0x400ul
#define FLAG_RESUME      0x10000ul

struct signal_frame {
    uint64_t restorer;
    struct {
        uint64_t flags, link;
        stack_t stack;
        struct sigcontext registers;
        uint64_t mask;
    } context;
    union {
        struct signal_info info;
        uint8_t whole[128];
    };
};
_Static_assert(offsetof(struct signal_frame, context.registers) == 48 &&
                   offsetof(struct signal_frame, context.mask) == 304 &&
                   sizeof(struct signal_frame) == 440,
               "Linux's layout");

enum { CONTEXT_XSTATE = 1, CONTEXT_SS = 2, CONTEXT_STRICT_SS = 4 };

/* ---- the stack ---- */

static bool is_within(const struct signal_stack *stack, uint64_t pointer) {
    return stack->size && pointer > stack->start && pointer - stack->start <= stack->size;
}

/* One that is disarmed while it is used is free for whoever stands on it. */
static bool is_on(const struct signal_stack *stack, uint64_t pointer) {
    return !(stack->flags & SS_AUTODISARM) && is_within(stack, pointer);
}

static uint32_t stack_state(const struct task *task) {
    if (!task->signal_stack.size)
        return SS_DISABLE;
    return is_on(&task->signal_stack, task->frame->rsp) ? SS_ONSTACK : 0;
}

/* Where the frame begins and, above it, the state; *overflow: it would leave the signal stack. */
static uint64_t place(const struct task *task, const struct signal_action *action, uint64_t *state,
                      bool *overflow) {
    const struct signal_stack *stack = &task->signal_stack;
    uint64_t top = task->frame->rsp - RED_ZONE;
    bool nested = is_on(stack, task->frame->rsp);
    if ((action->flags & SA_ONSTACK) && stack->size && !nested) {
        top = stack->start + stack->size;
        nested = true;
    }
    *state = (top - user_state_frame_size()) & ~63ul;
    uint64_t frame = ((*state - sizeof(struct signal_frame)) & ~15ul) - 8;
    *overflow = nested && (action->flags & SA_ONSTACK) && !is_within(stack, frame);
    return frame;
}

/* ---- to the handler ---- */

static void save_registers(struct sigcontext *to, const struct task *task, uint64_t mask,
                           uint64_t state) {
    const struct trap_frame *from = task->frame;
    *to = (struct sigcontext){
        .r8 = from->r8,
        .r9 = from->r9,
        .r10 = from->r10,
        .r11 = from->r11,
        .r12 = from->r12,
        .r13 = from->r13,
        .r14 = from->r14,
        .r15 = from->r15,
        .rdi = from->rdi,
        .rsi = from->rsi,
        .rbp = from->rbp,
        .rbx = from->rbx,
        .rdx = from->rdx,
        .rax = from->rax,
        .rcx = from->rcx,
        .rsp = from->rsp,
        .rip = from->rip,
        .eflags = from->rflags,
        .cs = (uint16_t)from->cs,
        .ss = (uint16_t)from->ss,
        .err = task->trap_error,
        .trapno = task->trap_vector,
        .oldmask = mask,
        .cr2 = task->trap_address,
        .fpstate = (struct _fpstate *)state,
    };
}

static void enter(struct trap_frame *frame, const struct signal_taken *taken, uint64_t at) {
    frame->rdi = (uint64_t)taken->info.signal;
    frame->rsi = at + offsetof(struct signal_frame, info);
    frame->rdx = at + offsetof(struct signal_frame, context);
    frame->rax = 0;
    frame->rsp = at;
    frame->rip = taken->action.handler;
    frame->cs = frame->ss = 0; /* the usual ones, wherever it was */
    frame->rflags &= ~(FLAG_DIRECTION | FLAG_TRAP | FLAG_RESUME);
    user_frame_harmless(frame);
}

k42_result signal_frame_put(struct task *task, const struct signal_taken *taken, uint64_t mask) {
    bool overflow;
    uint64_t state, at = place(task, &taken->action, &state, &overflow);
    struct signal_frame frame = {.restorer = taken->action.restorer};
    if (overflow || !(taken->action.flags & SA_RESTORER) || !user_range_ok(at, sizeof frame))
        return -EFAULT;
    frame.context.flags = CONTEXT_XSTATE | CONTEXT_SS | CONTEXT_STRICT_SS;
    frame.context.stack = (stack_t){.ss_sp = (void *)task->signal_stack.start,
                                    .ss_flags = (int)task->signal_stack.flags,
                                    .ss_size = task->signal_stack.size};
    save_registers(&frame.context.registers, task, mask, state);
    frame.context.mask = mask;
    frame.info = taken->info;
    if (user_state_put(state) < 0)
        return -EFAULT;
    k42_result result = program_write(at, &frame, sizeof frame);
    if (result < 0)
        return result;
    if (task->signal_stack.flags & SS_AUTODISARM)
        task->signal_stack = (struct signal_stack){.flags = SS_DISABLE};
    enter(task->frame, taken, at);
    return 0;
}

/* ---- and back ---- */

static void restore_registers(struct trap_frame *to, const struct sigcontext *from) {
    to->r8 = from->r8, to->r9 = from->r9, to->r10 = from->r10, to->r11 = from->r11;
    to->r12 = from->r12, to->r13 = from->r13, to->r14 = from->r14, to->r15 = from->r15;
    to->rdi = from->rdi, to->rsi = from->rsi, to->rbp = from->rbp, to->rbx = from->rbx;
    to->rdx = from->rdx, to->rax = from->rax, to->rcx = from->rcx, to->rsp = from->rsp;
    to->rip = from->rip;
    to->cs = from->cs, to->ss = from->ss;
    to->rflags = (to->rflags & ~FLAGS_TO_PROGRAM) | (from->eflags & FLAGS_TO_PROGRAM);
    to->error = ~0ul; /* no call that would be made again */
    user_frame_harmless(to);
}

static k42_result set_stack(struct task *task, const stack_t *stack);

LINUX_CALL(15, rt_sigreturn, void) {
    struct task *task = task_self();
    struct signal_frame frame;
    uint64_t at = task->frame->rsp - sizeof frame.restorer;
    if (program_read(&frame, at, sizeof frame) < 0)
        goto bad;
    k42_result result = k42_call(task->process, block, task, frame.context.mask);
    if (result < 0 || user_state_take((uint64_t)frame.context.registers.fpstate) < 0)
        goto bad;
    restore_registers(task->frame, &frame.context.registers);
    result = set_stack(task, &frame.context.stack);
    return (k42_result)task->frame->rax;
bad:;
    struct signal_info info = signal_from_kernel(SIGSEGV);
    signal_force(&info);
    return 0;
}

/* ---- sigaltstack ---- */

static k42_result set_stack(struct task *task, const stack_t *stack) {
    uint32_t flags = (uint32_t)stack->ss_flags, mode = flags & ~SS_AUTODISARM;
    if (stack_state(task) == SS_ONSTACK)
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        task->signal_stack = (struct signal_stack){.flags = flags};
        return 0;
    }
    const struct signal_stack *now = &task->signal_stack;
    if (now->start == (uint64_t)stack->ss_sp && now->size == stack->ss_size && now->flags == flags)
        return 0;
    if (stack->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    task->signal_stack = (struct signal_stack){
        .start = (uint64_t)stack->ss_sp, .size = stack->ss_size, .flags = flags};
    return 0;
}

LINUX_CALL(131, sigaltstack, uintptr_t wanted, uintptr_t present) {
    struct task *task = task_self();
    stack_t before = {.ss_sp = (void *)task->signal_stack.start,
                      .ss_flags =
                          (int)(stack_state(task) | (task->signal_stack.flags & SS_AUTODISARM)),
                      .ss_size = task->signal_stack.size},
            stack;
    if (wanted) {
        k42_result result = program_read(&stack, wanted, sizeof stack);
        if (result >= 0)
            result = set_stack(task, &stack);
        if (result < 0)
            return result;
    }
    return present ? program_write(present, &before, sizeof before) : 0;
}
