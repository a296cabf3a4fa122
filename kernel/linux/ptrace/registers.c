/*
 * A tracee's registers as ptrace() has them: Linux's struct user_regs_struct, the area that
 * PTRACE_PEEKUSER reads, and sets by their ELF notes. See tracee.h.
 *
 * What a tracer sets is what a program could set itself (user_frame_harmless); other values are
 * refused or made so. Selectors but for code and stack stay as they are.
 */
#include "../../arch/x86_64/user.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../linux.h"
#include "../program.h"
#include "../task.h"
#include "tracee.h"

#include <linux/elf.h>
#include <linux/uio.h>

#define NO_CALL   (~0ul)
#define PRIVILEGE 3ul /* of a program, in its selectors */

/* Where struct user of Linux has what follows the registers. */
enum { USER_SIZE = 912, USER_DEBUG = 848, USER_DEBUG_END = USER_DEBUG + 8 * 8 };

/* ---- results that ask for a call to be made again ---- */

static const struct {
    int own, its; /* Linux's, which programs never see, but tracers do */
} restarts[] = {
    {LINUX_RESTART, 512},
    {LINUX_RESTART_ALWAYS, 513},
    {LINUX_RESTART_NO_HANDLER, 514},
    {LINUX_RESTART_BLOCK, 516},
};

static uint64_t result_shown(uint64_t result) {
    for (unsigned i = 0; i < sizeof restarts / sizeof *restarts; i++)
        if ((int64_t)result == -restarts[i].own)
            return (uint64_t) - (int64_t)restarts[i].its;
    return result;
}

static uint64_t result_meant(uint64_t result) {
    for (unsigned i = 0; i < sizeof restarts / sizeof *restarts; i++)
        if ((int64_t)result == -restarts[i].its)
            return (uint64_t) - (int64_t)restarts[i].own;
    return result;
}

/* ---- from and to a frame ---- */

void registers_read(struct tracee_registers *to, const struct task *task) {
    const struct trap_frame *from = task->frame;
    bool call = user_frame_is_call(from);
    *to = (struct tracee_registers){
        .r15 = from->r15,
        .r14 = from->r14,
        .r13 = from->r13,
        .r12 = from->r12,
        .rbp = from->rbp,
        .rbx = from->rbx,
        .r11 = from->r11,
        .r10 = from->r10,
        .r9 = from->r9,
        .r8 = from->r8,
        .rax = call ? result_shown(from->rax) : from->rax,
        .rcx = from->rcx,
        .rdx = from->rdx,
        .rsi = from->rsi,
        .rdi = from->rdi,
        .orig_rax = call ? from->error : NO_CALL,
        .rip = from->rip,
        .cs = from->cs,
        .eflags = from->rflags,
        .rsp = from->rsp,
        .ss = from->ss,
        .fs_base = user_fs_base(),
        .gs_base = user_gs_base(),
    };
}

void registers_take(struct tracee *tracee, const struct task *task) {
    if (task->steps)
        user_frame_step(task->frame, false);
    registers_read(&tracee->registers, task);
    user_state_read(tracee->vectors);
}

static void set_frame(struct trap_frame *to, const struct tracee_registers *from) {
    to->r15 = from->r15, to->r14 = from->r14, to->r13 = from->r13, to->r12 = from->r12;
    to->rbp = from->rbp, to->rbx = from->rbx, to->r11 = from->r11, to->r10 = from->r10;
    to->r9 = from->r9, to->r8 = from->r8, to->rcx = from->rcx, to->rdx = from->rdx;
    to->rsi = from->rsi, to->rdi = from->rdi, to->rip = from->rip, to->rsp = from->rsp;
    to->rflags = from->eflags;
    to->error = from->orig_rax;
    bool call = from->orig_rax != NO_CALL;
    to->rax = call ? result_meant(from->rax) : from->rax;
    user_frame_harmless(to);
    if (call)
        to->vector = VECTOR_CHANGED_CALL;
}

void registers_give(struct tracee *tracee, struct task *task) {
    if (tracee->registers_set) {
        set_frame(task->frame, &tracee->registers);
        bool fs = user_set_fs_base(tracee->registers.fs_base);
        bool gs = user_set_gs_base(tracee->registers.gs_base);
        (void)fs, (void)gs; /* they were looked at when they were set */
    }
    if (tracee->vectors_set)
        user_state_write(tracee->vectors);
    if (tracee->debug_set)
        user_debug_set(&tracee->debug);
}

/* ---- sets ---- */

static k42_result check(const struct tracee_registers *wanted) {
    bool selectors = (wanted->cs & PRIVILEGE) == PRIVILEGE && (wanted->ss & PRIVILEGE) == PRIVILEGE;
    return selectors && wanted->fs_base < USER_END && wanted->gs_base < USER_END ? 0 : -EIO;
}

static void change_registers(struct tracee *tracee, const void *wanted) {
    tracee->registers = *(const struct tracee_registers *)wanted;
    tracee->registers_set = true;
}

static k42_result set_registers(struct tracee *tracee, uintptr_t from, size_t size) {
    struct tracee_registers wanted = tracee->registers;
    k42_result result = program_read(&wanted, from, size);
    if (result >= 0)
        result = check(&wanted);
    return result < 0 ? result : tracee_change(tracee, change_registers, &wanted);
}

struct vectors {
    const void *bytes;
    size_t size;
};

static void change_vectors(struct tracee *tracee, const void *argument) {
    const struct vectors *wanted = argument;
    __builtin_memcpy(tracee->vectors, wanted->bytes, wanted->size);
    tracee->vectors_set = true;
}

/* `legacy`: the first 512 bytes alone, which are then in use, whatever the rest said. */
static k42_result set_vectors(struct tracee *tracee, uintptr_t from, size_t size, bool legacy) {
    size_t whole = user_vectors_size();
    char *bytes = heap_allocate((whole + 63) & ~63ul);
    if (!bytes)
        return -ENOMEM;
    __builtin_memcpy(bytes, tracee->vectors, whole);
    k42_result result = program_read(bytes, from, size);
    if (result >= 0 && !user_state_accept(bytes, legacy))
        result = -EINVAL;
    if (result >= 0)
        result = tracee_change(tracee, change_vectors, &(struct vectors){bytes, whole});
    heap_free(bytes);
    return result;
}

enum { FXSAVE_BYTES = 512 };

/* Linux takes less than all of the general registers, but all or nothing of the processor's. */
static k42_result set_of(struct tracee *tracee, unsigned note, uintptr_t from, size_t size) {
    switch (note) {
    case NT_PRSTATUS:
        return set_registers(tracee, from, size);
    case NT_PRFPREG:
        return size == FXSAVE_BYTES ? set_vectors(tracee, from, size, true) : -EINVAL;
    default:
        return size == user_vectors_size() ? set_vectors(tracee, from, size, false) : -EFAULT;
    }
}

static k42_result tell_state(const struct tracee *tracee, uintptr_t to, size_t size) {
    uint64_t note[6];
    user_state_note(note);
    size_t head = size < FXSAVE_BYTES - sizeof note ? size : FXSAVE_BYTES - sizeof note;
    k42_result result = program_write(to, tracee->vectors, head);
    if (result < 0 || size <= head)
        return result;
    size_t middle = size - head < sizeof note ? size - head : sizeof note;
    result = program_write(to + head, note, middle);
    if (result < 0 || size <= head + middle)
        return result;
    return program_write(to + FXSAVE_BYTES, (const char *)tracee->vectors + FXSAVE_BYTES,
                         size - FXSAVE_BYTES);
}

static size_t size_of(unsigned note) {
    switch (note) {
    case NT_PRSTATUS:
        return sizeof(struct tracee_registers);
    case NT_PRFPREG:
        return FXSAVE_BYTES;
    case NT_X86_XSTATE:
        return user_vectors_size();
    default:
        return 0;
    }
}

static k42_result get_set(const struct tracee *tracee, unsigned note, uintptr_t to, size_t size) {
    if (note == NT_X86_XSTATE)
        return tell_state(tracee, to, size);
    return program_write(
        to, note == NT_PRSTATUS ? (const void *)&tracee->registers : tracee->vectors, size);
}

/* The length is told back. */
static k42_result regset(struct tracee *tracee, bool set, uintptr_t note, uintptr_t at) {
    struct {
        uint64_t base, length;
    } range;
    size_t whole = size_of((unsigned)note);
    k42_result result = program_read(&range, at, sizeof range);
    if (result < 0)
        return result;
    if (!whole || range.length % (note == NT_PRFPREG ? 4 : 8))
        return -EINVAL;
    range.length = range.length < whole ? range.length : whole;
    result = set ? set_of(tracee, (unsigned)note, range.base, range.length)
                 : get_set(tracee, (unsigned)note, range.base, range.length);
    return result < 0 ? result : program_write(at + 8, &range.length, sizeof range.length);
}

k42_result registers_request(struct tracee *tracee, long request, uintptr_t address,
                             uintptr_t data) {
    switch (request) {
    case PTRACE_GETREGS:
        return get_set(tracee, NT_PRSTATUS, data, sizeof(struct tracee_registers));
    case PTRACE_SETREGS:
        return set_registers(tracee, data, sizeof(struct tracee_registers));
    case PTRACE_GETFPREGS:
        return get_set(tracee, NT_PRFPREG, data, FXSAVE_BYTES);
    case PTRACE_SETFPREGS:
        return set_vectors(tracee, data, FXSAVE_BYTES, true);
    default:
        return regset(tracee, request == PTRACE_SETREGSET, address, data);
    }
}

/* ---- debug registers ---- */

enum { DEBUG_STATUS = 6, DEBUG_CONTROL = 7, DEBUG_ADDRESSES = 4 };
#define STATUS_AT_REST 0xffff0ff0ul

static uint64_t debug_word(const struct tracee *tracee, unsigned which) {
    if (which < DEBUG_ADDRESSES)
        return tracee->debug.address[which];
    if (which == DEBUG_STATUS)
        return tracee->debug_status | STATUS_AT_REST;
    return which == DEBUG_CONTROL ? tracee->debug.control : 0;
}

static void change_status(struct tracee *tracee, const void *wanted) {
    tracee->debug_status = *(const uint64_t *)wanted;
}

static void change_debug(struct tracee *tracee, const void *wanted) {
    tracee->debug = *(const struct user_debug *)wanted;
    tracee->debug_set = true;
}

static k42_result set_debug(struct tracee *tracee, unsigned which, uint64_t word) {
    struct user_debug wanted = tracee->debug;
    if (which == DEBUG_STATUS)
        return tracee_change(tracee, change_status, &word);
    if (which == DEBUG_CONTROL)
        wanted.control = word;
    else if (which < DEBUG_ADDRESSES)
        wanted.address[which] = word;
    else
        return -EIO;
    if (which < DEBUG_ADDRESSES ? word >= USER_END : !user_debug_accept(&wanted))
        return -EINVAL;
    return tracee_change(tracee, change_debug, &wanted);
}

/* ---- words ---- */

k42_result registers_word(const struct tracee *tracee, uintptr_t offset, uint64_t *word) {
    if (offset % 8 || offset >= USER_SIZE)
        return -EIO;
    *word = 0;
    if (offset < sizeof tracee->registers)
        __builtin_memcpy(word, (const char *)&tracee->registers + offset, sizeof *word);
    if (offset >= USER_DEBUG && offset < USER_DEBUG_END)
        *word = debug_word(tracee, (unsigned)(offset - USER_DEBUG) / 8);
    return 0;
}

k42_result registers_set_word(struct tracee *tracee, uintptr_t offset, uint64_t word) {
    struct tracee_registers wanted = tracee->registers;
    if (offset % 8 || offset >= USER_SIZE)
        return -EIO;
    if (offset >= USER_DEBUG && offset < USER_DEBUG_END)
        return set_debug(tracee, (unsigned)(offset - USER_DEBUG) / 8, word);
    if (offset >= sizeof wanted)
        return -EIO;
    __builtin_memcpy((char *)&wanted + offset, &word, sizeof word);
    k42_result result = check(&wanted);
    return result < 0 ? result : tracee_change(tracee, change_registers, &wanted);
}
