/*
 * What a tracer asks of a tracee that has stopped: its memory, its signal and mask, what call it is
 * at, and that it go on. See tracee.h.
 *
 * Runs in the tracer's thread, which counts as a user of the record. Copies from and to the
 * tracer's own memory are made without a lock, since they may wait; what is set, is set under it at
 * once, if the tracee still is stopped.
 */
#include "../../copy.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../program.h"
#include "../task.h"
#include "../whom.h"
#include "attach.h"
#include "tracee.h"

#include <linux/audit.h>

k42_result tracee_change(struct tracee *tracee, void (*fn)(struct tracee *tracee, const void *what),
                         const void *what) {
    k42_lock(&tracee->lock);
    bool stopped = tracee->state == TRACEE_STOPPED && !tracee->listens;
    if (stopped)
        fn(tracee, what);
    k42_unlock(&tracee->lock);
    return stopped ? 0 : -ESRCH;
}

/* ---- memory ---- */

/* Found anew in each attempt: one that is killed gives it up. */
static k42_result move_once(int tid, uintptr_t address, struct copy *copy, bool write) {
    const struct task *task = whom_thread(tid);
    const struct task_memory *memory =
        task ? __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE) : NULL;
    if (!memory)
        return -EIO;
    return write ? k42_call(memory->space, poke, address, copy, 1)
                 : k42_call(memory->space, peek, address, copy);
}

static k42_result move_word(int tid, uintptr_t address, uint64_t *word, bool write) {
    struct copy copy = copy_of_kernel(word, sizeof *word);
    k42_result result = 0;
    while (copy.left && result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  move_once(tid, address + sizeof *word - copy.left, &copy, write));
    return result < 0 ? -EIO : 0;
}

static k42_result peek(const struct tracee *tracee, uintptr_t address, uintptr_t to, bool user) {
    uint64_t word;
    k42_result result = user ? registers_word(tracee, address, &word)
                             : move_word(tracee->child.pid, address, &word, false);
    return result < 0 ? result : program_write(to, &word, sizeof word);
}

/* ---- its signal ---- */

static k42_result tell_info(const struct tracee *tracee, uintptr_t to) {
    uint8_t whole[128] = {0};
    if (!tracee->has_info)
        return -EINVAL;
    __builtin_memcpy(whole, &tracee->info, sizeof tracee->info);
    return program_write(to, whole, sizeof whole);
}

/* Siginfos one after the other: how many. */
static k42_result peek_queue(struct task *task, uintptr_t from, uintptr_t to) {
    struct ptrace_peeksiginfo_args wanted;
    k42_result result = program_read(&wanted, from, sizeof wanted);
    if (result < 0)
        return result;
    if ((wanted.flags & ~PTRACE_PEEKSIGINFO_SHARED) || wanted.nr < 0)
        return -EINVAL;
    int tid = task->tid, done = 0;
    uint8_t whole[128] = {0};
    struct signal_info info;
    for (; task && done < wanted.nr; done++, to += sizeof whole) {
        struct task *whose = wanted.flags ? NULL : task;
        if (k42_call(task->process, queued, whose, wanted.off + (unsigned)done, &info) < 0)
            break;
        __builtin_memcpy(whole, &info, sizeof info);
        result = program_write(to, whole, sizeof whole);
        if (result < 0)
            return done ? done : result;
        task = whom_thread(tid); /* it may have been waited for */
    }
    return done;
}

static void change_info(struct tracee *tracee, const void *what) {
    tracee->info = *(const struct signal_info *)what;
}

static k42_result set_info(struct tracee *tracee, uintptr_t from) {
    struct signal_info info;
    k42_result result = program_read(&info, from, sizeof info);
    if (result >= 0 && !tracee->has_info)
        result = -EINVAL;
    return result < 0 ? result : tracee_change(tracee, change_info, &info);
}

static void change_mask(struct tracee *tracee, const void *what) {
    tracee->mask = *(const uint64_t *)what & ~SIGNALS_UNBLOCKABLE;
    tracee->mask_set = true;
}

static k42_result set_mask(struct tracee *tracee, uintptr_t size, uintptr_t from) {
    uint64_t mask;
    k42_result result = size == sizeof mask ? program_read(&mask, from, sizeof mask) : -EINVAL;
    return result < 0 ? result : tracee_change(tracee, change_mask, &mask);
}

/* ---- its options ---- */

static void change_options(struct tracee *tracee, const void *what) {
    __atomic_store_n(&tracee->options, *(const uint32_t *)what, __ATOMIC_RELAXED);
}

static k42_result set_options(struct tracee *tracee, uint64_t wanted) {
    uint32_t options = (uint32_t)wanted;
    if (wanted & ~(uint64_t)(PTRACE_O_MASK & ~PTRACE_O_SUSPEND_SECCOMP))
        return -EINVAL;
    return tracee_change(tracee, change_options, &options);
}

/* ---- its call ---- */

static void tell_entry(struct ptrace_syscall_info *info, const struct tracee_registers *from) {
    const uint64_t arguments[6] = {from->rdi, from->rsi, from->rdx, from->r10, from->r8, from->r9};
    info->entry.nr = from->orig_rax;
    __builtin_memcpy(info->entry.args, arguments, sizeof arguments);
}

static size_t tell_call(struct ptrace_syscall_info *info, const struct tracee *tracee) {
    const struct tracee_registers *from = &tracee->registers;
    *info = (struct ptrace_syscall_info){.op = PTRACE_SYSCALL_INFO_NONE,
                                         .arch = AUDIT_ARCH_X86_64,
                                         .instruction_pointer = from->rip,
                                         .stack_pointer = from->rsp};
    if (tracee->place == TRACEE_AT_CALL && tracee->info.code == (SIGTRAP | 0x80)) {
        info->op = PTRACE_SYSCALL_INFO_ENTRY;
        tell_entry(info, from);
        return offsetof(struct ptrace_syscall_info, entry.args) + sizeof info->entry.args;
    }
    if (tracee->place == TRACEE_AT_RETURN && tracee->info.code == (SIGTRAP | 0x80)) {
        info->op = PTRACE_SYSCALL_INFO_EXIT;
        info->exit.rval = (int64_t)from->rax;
        info->exit.is_error = info->exit.rval < 0 && info->exit.rval > -4096;
        return offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
    }
    if (tracee->place == TRACEE_AT_EVENT &&
        tracee->info.code == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
        info->op = PTRACE_SYSCALL_INFO_SECCOMP;
        tell_entry(info, from);
        info->seccomp.ret_data = (uint32_t)tracee->message;
        return offsetof(struct ptrace_syscall_info, seccomp.ret_data) + sizeof(uint32_t);
    }
    return offsetof(struct ptrace_syscall_info, entry);
}

static k42_result get_call(const struct tracee *tracee, uintptr_t size, uintptr_t to) {
    struct ptrace_syscall_info info;
    size_t whole = tell_call(&info, tracee);
    k42_result result = program_write(to, &info, size < whole ? size : whole);
    return result < 0 ? result : (k42_result)whole;
}

/* ---- going on ---- */

static void change_way(struct tracee *tracee, const void *what) {
    const struct tracee *wanted = what;
    tracee->signal = wanted->signal;
    tracee->way = wanted->way;
    tracee->state = TRACEE_RUNS;
    tracee->news = false;
}

k42_result tracee_go_on(struct tracee *tracee, enum tracee_way way, uint64_t signal) {
    if (signal > SIGNALS)
        return -EIO;
    struct tracee wanted = {.signal = (int32_t)signal, .way = way};
    k42_result result = tracee_change(tracee, change_way, &wanted);
    if (result >= 0)
        wait_notify(WAIT_NO_OBJECT, (uintptr_t)tracee, WAIT_READ, WAIT_ALL);
    return result;
}

static void change_listens(struct tracee *tracee, const void *what) {
    (void)what;
    tracee->listens = true;
    tracee->news = false;
}

/* What came since it stopped it tells of at once. */
static k42_result listen(struct tracee *tracee, struct task *task) {
    if (!tracee->seized || tracee->place != TRACEE_AT_EVENT ||
        tracee->info.code >> 8 != PTRACE_EVENT_STOP)
        return -EIO;
    k42_result result = tracee_change(tracee, change_listens, NULL);
    if (result >= 0 && __atomic_load_n(&tracee->trap, __ATOMIC_ACQUIRE)) {
        k42_result woken = tracing_interrupts(task, tracee);
        (void)woken; /* or it has ended */
    }
    return result;
}

k42_result tracee_request(struct tracee *tracee, struct task *task, long request, uintptr_t address,
                          uintptr_t data) {
    switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
        return peek(tracee, address, data, false);
    case PTRACE_PEEKUSR:
        return peek(tracee, address, data, true);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return move_word(tracee->child.pid, address, &data, true);
    case PTRACE_POKEUSR:
        return registers_set_word(tracee, address, data);
    case PTRACE_GETREGS:
    case PTRACE_SETREGS:
    case PTRACE_GETFPREGS:
    case PTRACE_SETFPREGS:
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
        return registers_request(tracee, request, address, data);
    case PTRACE_CONT:
        return tracee_go_on(tracee, TRACEE_FREELY, data);
    case PTRACE_SYSCALL:
        return tracee_go_on(tracee, TRACEE_TO_CALL, data);
    case PTRACE_SINGLESTEP:
        return tracee_go_on(tracee, TRACEE_ONE_STEP, data);
    case PTRACE_SETOPTIONS:
        return set_options(tracee, data);
    case PTRACE_GETEVENTMSG:
        return program_write(data, &tracee->message, sizeof tracee->message);
    case PTRACE_GETSIGINFO:
        return tell_info(tracee, data);
    case PTRACE_PEEKSIGINFO:
        return peek_queue(task, address, data);
    case PTRACE_SETSIGINFO:
        return set_info(tracee, data);
    case PTRACE_GETSIGMASK:
        return address == sizeof tracee->mask ? program_write(data, &tracee->mask, address)
                                              : -EINVAL;
    case PTRACE_SETSIGMASK:
        return set_mask(tracee, address, data);
    case PTRACE_GET_SYSCALL_INFO:
        return get_call(tracee, address, data);
    case PTRACE_LISTEN:
        return listen(tracee, task);
    default:
        return -EIO;
    }
}
