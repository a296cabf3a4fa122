/*
 * /proc/PID/mem, auxv and syscall: a program's memory for debuggers, the vector that it was started
 * with, and the call that it is in.
 *
 * Memory is read and written as by ptrace(): private memory whatever its protection. A program that
 * begins another one meanwhile shows that one's. The vector is read from the program's stack, above
 * the texts' addresses, where the kernel has put it.
 */
#include "../../arch/x86_64/user.h"
#include "../../copy.h"
#include "../../fs/file.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../whom.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

k42_result subject_move(const struct proc_key *key, uint64_t at, struct copy *copy, bool write) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return 0;
    const struct task_memory *memory = __atomic_load_n(&subject.task->memory, __ATOMIC_ACQUIRE);
    if (!memory)
        return 0;
    if (!whom_may_trace(subject.task))
        return -EACCES;
    k42_result result = write ? k42_call(memory->space, poke, at, copy, 1)
                              : k42_call(memory->space, peek, at, copy);
    return result == -EFAULT || result == -K42_STALE ? -EIO : result;
}

enum { WORDS_MOST = 1 << 20 };

static bool word_at(space_ref space, uintptr_t at, uint64_t *word) {
    struct copy copy = copy_of_kernel(word, sizeof *word);
    return k42_call(space, peek, at, &copy) == sizeof *word;
}

/* Two lists of addresses that end with a zero lie below it. */
static uintptr_t vector_of(space_ref space, uintptr_t stack) {
    uintptr_t at = stack + sizeof(uint64_t);
    uint64_t word;
    unsigned zeros = 0;
    for (unsigned n = 0; zeros < 2; n++, at += sizeof word) {
        if (n == WORDS_MOST || !word_at(space, at, &word))
            return 0;
        zeros += !word;
    }
    return at;
}

k42_result subject_print_auxv(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    uint64_t pair[2];
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    space_ref space = subject.task->space;
    uintptr_t at = subject.marks.stack_start ? vector_of(space, subject.marks.stack_start) : 0;
    for (unsigned n = 0; at && n < 64; n++, at += sizeof pair) {
        if (!word_at(space, at, &pair[0]) || !word_at(space, at + sizeof pair[0], &pair[1]))
            break;
        proc_put(text, (const char *)pair, sizeof pair);
        if (pair[0] == AT_NULL)
            break;
    }
    return 0;
}

/* ---- the call ---- */

static k42_result copy_frame(struct thread *thread, void *to) {
    *(struct trap_frame *)to = *user_frame_of(thread_user(thread));
    return 0;
}

/* Of a thread that runs in its program there is nothing to be told. */
k42_result subject_print_call(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct trap_frame frame;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    if (!whom_may_trace(subject.task))
        return -EACCES;
    bool runs = subject.task != task_self() && thread_activity(subject.task->thread) == THREAD_RUNS;
    if (runs || k42_call(subject.process, keep, subject.task, copy_frame, &frame) < 0) {
        proc_print(text, "running\n");
        return 0;
    }
    bool call = user_frame_is_call(&frame);
    const uint64_t words[] = {frame.rdi, frame.rsi, frame.rdx, frame.r10,
                              frame.r8,  frame.r9,  frame.rsp, frame.rip};
    proc_print(text, "%ld", call ? (int64_t)frame.error : -1);
    for (size_t n = call ? 0 : 6; n < sizeof words / sizeof *words; n++) {
        proc_put(text, " 0x", 3);
        proc_print_hex(text, words[n], 1);
    }
    proc_put(text, "\n", 1);
    return 0;
}
