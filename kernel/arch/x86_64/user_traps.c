/*
 * Exceptions that programs cause, by themselves or while the kernel copies for them, and what else
 * happens before a program goes on.
 *
 * Owns: nothing but the table of places in the kernel that may fault, made by the linker from
 * `may_fault` (access.inc): some dozens, searched from the front when one of them has faulted.
 */
#include "../../sched/preempt.h"
#include "cpu.h"
#include "user.h"

#include <errno.h>

struct fixup {
    uint64_t at, landing;
};
extern const struct fixup fixups_begin[], fixups_end[];

void user_exception(struct trap_frame *frame) {
    const struct personality *personality = user_current()->personality;
    uintptr_t address = 0;
    int reason = 0;
    bool resolved = false;
    /* What tells of the exception in the processor's registers is gone when the next one comes. */
    if (frame->vector == VECTOR_PAGE_FAULT)
        address = read_cr2();
    if (frame->vector == VECTOR_DEBUG) {
        frame->error = read_dr6();
        write_dr6(DR6_NOTHING);
    }
    interrupts_enable();
    if (frame->vector == VECTOR_PAGE_FAULT) {
        reason = address < USER_END ? personality->fault(frame, address) : -EFAULT;
        resolved = !reason;
    }
    if (!resolved)
        personality->trap(frame, address, reason);
    interrupts_disable();
}

void user_work(struct trap_frame *frame) {
    struct user_context *context = user_current();
    while (__atomic_load_n(&context->work, __ATOMIC_ACQUIRE)) {
        if (context->work & USER_TURN) {
            __atomic_fetch_and(&context->work, ~USER_TURN, __ATOMIC_RELAXED);
            trap_leave(frame);
            continue;
        }
        interrupts_enable();
        context->personality->work(frame);
        interrupts_disable();
    }
}

static uint64_t landing_of(uint64_t rip) {
    for (const struct fixup *fixup = fixups_begin; fixup < fixups_end; fixup++)
        if (fixup->at == rip)
            return fixup->landing;
    return 0;
}

static bool may_ask(const struct trap_frame *frame, uintptr_t address) {
    return frame->vector == VECTOR_PAGE_FAULT && address < USER_END &&
           frame->rflags & RFLAGS_INTERRUPT && !preempt_depth() && user_current()->personality;
}

bool user_access_fault(struct trap_frame *frame, uintptr_t address) {
    uint64_t landing = landing_of(frame->rip);
    if (!landing)
        return false;
    int error = -1;
    if (may_ask(frame, address)) {
        interrupts_enable();
        error = user_current()->personality->fault(frame, address);
        interrupts_disable();
    }
    if (error)
        frame->rip = landing;
    return true;
}
