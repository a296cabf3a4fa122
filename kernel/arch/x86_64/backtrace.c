/*
 * Backtraces: follows the chain of saved frame pointers, reading only what is mapped, and through
 * trap frames, which are recognised by a return address in traps.S.
 *
 * Owns nothing; any context, another CPU's stack included when that CPU stands still. A broken
 * chain ends the list early, no more.
 */
#include "backtrace.h"

#include "../../print.h"
#include "cpu.h"

#define FRAMES_MAX 48

extern const uint32_t symbol_count, symbol_offsets[], symbol_names[];
extern const char symbol_text[];
extern char trap_text_begin[], trap_text_end[], text_begin[], text_end[];

const char *backtrace_name(uintptr_t address, uintptr_t *offset) {
    if (address < (uintptr_t)text_begin || address >= (uintptr_t)text_end)
        return NULL;
    uint32_t low = 0, high = symbol_count, wanted = (uint32_t)(address - KERNEL_BASE);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (symbol_offsets[middle] <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    *offset = wanted - symbol_offsets[low - 1];
    return symbol_text + symbol_names[low - 1];
}

static void print_address(uintptr_t address) {
    uintptr_t offset;
    const char *name = backtrace_name(address, &offset);
    if (name)
        print("    0x%lx %s+0x%lx", address, name, offset);
    else
        print("    0x%lx", address);
}

static bool readable(uintptr_t address, size_t size) {
    return !(address & 7) && kernel_physical(address) != KERNEL_NOTHING &&
           kernel_physical(address + size - 1) != KERNEL_NOTHING;
}

static bool in_traps(uintptr_t address) {
    return address >= (uintptr_t)trap_text_begin && address < (uintptr_t)trap_text_end;
}

static void walk(uintptr_t pointer) {
    for (int i = 0; i < FRAMES_MAX && readable(pointer, 16); i++) {
        const uintptr_t *saved = (const uintptr_t *)pointer;
        uintptr_t next = saved[0], caller = saved[1];
        if (!caller)
            return;
        if (in_traps(caller)) {
            /* The trap's frame begins where the call's return address was popped. */
            const struct trap_frame *frame = (const void *)(saved + 2);
            if (!readable((uintptr_t)frame, sizeof *frame) || trap_from_user(frame))
                return;
            print("    trap %lu at", frame->vector);
            print_address(frame->rip);
            next = frame->rbp;
        } else {
            print_address(caller);
        }
        if (!next)
            return;
        pointer = next;
    }
}

void backtrace_here(void) {
    walk((uintptr_t)__builtin_frame_address(0));
}

/* A function's first instruction saves the frame pointer: before it and just after it the return
 * address is not yet in the chain. */
static void print_caller_at_entry(const struct trap_frame *frame) {
    uintptr_t offset, at = frame->rsp;
    if (!backtrace_name(frame->rip, &offset) || offset > 1)
        return;
    at += offset * sizeof(uintptr_t);
    if (readable(at, sizeof(uintptr_t)))
        print_address(*(const uintptr_t *)at);
}

void backtrace_trap(const struct trap_frame *frame) {
    print_address(frame->rip);
    if (trap_from_user(frame))
        return;
    print_caller_at_entry(frame);
    walk(frame->rbp);
}
