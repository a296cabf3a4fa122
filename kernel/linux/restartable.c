/*
 * rseq: restartable sequences. A program says, in memory it shares with the kernel, that it is in a
 * sequence of instructions that only makes sense on one CPU and undisturbed; a thread that lost its
 * CPU in between, or takes a signal, goes on at the place that the program gave for that. The same
 * memory has the number of the CPU.
 *
 * A thread with such memory runs under a personality of its own, for which the processor's part
 * marks it when it gets a CPU after it was interrupted in its program, or another CPU than it had
 * (user_switch). What is marked comes here before it goes on. So others pay a load when they get
 * a CPU, those that wait in a call and go on where they were no more than that, and nobody pays on
 * the way back to his program. A call within a sequence is an error of the program's.
 *
 * Data: the task's own. Fails: SIGSEGV for memory that is not there and sequences that are none.
 */
#include "restartable.h"

#include "abi.h"
#include "call.h"
#include "program.h"
#include "signal/signals.h"
#include "task.h"

#include <k42/k42.h>
#include <linux/rseq.h>

enum { AREA_BYTES = 32 };

/* What is at the beginning of the memory. */
struct where {
    uint32_t cpu_start, cpu;
};
_Static_assert(offsetof(struct rseq, rseq_cs) == sizeof(struct where), "Linux's layout");

static k42_result tell_cpu(struct task *task) {
    uint32_t cpu = (uint32_t)k42_cpu();
    struct where where = {cpu, cpu};
    if (cpu == task->sequence_cpu)
        return 0;
    k42_result result = program_write(task->sequence_area, &where, sizeof where);
    if (result >= 0)
        task->sequence_cpu = cpu;
    return result;
}

/* Where the program says to go on must carry its signature, so that nobody is led elsewhere. */
static k42_result check(const struct task *task, const struct rseq_cs *sequence) {
    uint32_t signature;
    uint64_t end;
    if (sequence->start_ip >= USER_END || sequence->abort_ip >= USER_END || sequence->version ||
        __builtin_add_overflow(sequence->start_ip, sequence->post_commit_offset, &end) ||
        end >= USER_END || sequence->abort_ip - sequence->start_ip < sequence->post_commit_offset)
        return -EINVAL;
    k42_result result =
        program_read(&signature, sequence->abort_ip - sizeof signature, sizeof signature);
    return result < 0 ? result : signature == task->sequence_signature ? 0 : -EINVAL;
}

/* It has been left, by itself or now. */
static k42_result leave(struct task *task, const struct rseq_cs *sequence, bool is_inside) {
    static const uint64_t none = 0;
    uint32_t flags = 0;
    k42_result result = 0;
    if (is_inside)
        result =
            program_read(&flags, task->sequence_area + offsetof(struct rseq, flags), sizeof flags);
    if (result >= 0 && is_inside && (flags || sequence->flags))
        return -EINVAL;
    if (result >= 0)
        result =
            program_write(task->sequence_area + offsetof(struct rseq, rseq_cs), &none, sizeof none);
    if (result >= 0 && is_inside) {
        task->frame->rip = sequence->abort_ip;
        user_frame_harmless(task->frame);
    }
    return result;
}

static k42_result disturb(struct task *task) {
    struct rseq_cs sequence;
    uint64_t at;
    k42_result result =
        program_read(&at, task->sequence_area + offsetof(struct rseq, rseq_cs), sizeof at);
    if (result < 0 || !at)
        return result;
    result = at < USER_END ? program_read(&sequence, at, sizeof sequence) : -EINVAL;
    if (result >= 0)
        result = check(task, &sequence);
    if (result < 0)
        return result;
    uint64_t rip = task->frame->rip;
    return leave(task, &sequence, rip - sequence.start_ip < sequence.post_commit_offset);
}

void restartable_disturbed(struct task *task) {
    struct signal_info fault = signal_from_kernel(SIGSEGV);
    if (!task->sequence_area)
        return;
    k42_result result = tell_cpu(task);
    if (result >= 0)
        result = disturb(task);
    if (result < 0)
        signal_force(&fault);
}

void restartable_end(struct task *task) {
    task->sequence_area = 0;
    user_current()->personality = &linux_personality;
}

/* ---- the call ---- */

static k42_result begin(struct task *task, uintptr_t area, uint32_t signature) {
    if (area % AREA_BYTES)
        return -EINVAL;
    if (area >= USER_END || USER_END - area < AREA_BYTES)
        return -EFAULT;
    task->sequence_area = area;
    task->sequence_signature = signature;
    task->sequence_cpu = ~0u;
    user_current()->personality = &linux_sequence_personality;
    thread_interrupt(task->thread, USER_SWITCHED);
    return 0;
}

static k42_result unregister(struct task *task) {
    static const struct where nowhere = {0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED};
    k42_result result = program_write(task->sequence_area, &nowhere, sizeof nowhere);
    if (result >= 0)
        restartable_end(task);
    return result;
}

LINUX_CALL(334, rseq, uintptr_t area, unsigned size, int flags, unsigned signature) {
    struct task *task = task_self();
    bool ends = flags == RSEQ_FLAG_UNREGISTER, is_in = task->sequence_area;
    if ((flags && !ends) || size != AREA_BYTES)
        return -EINVAL;
    if (!is_in && !ends)
        return begin(task, area, signature);
    if (!is_in || area != task->sequence_area)
        return -EINVAL;
    if (signature != task->sequence_signature)
        return -EPERM;
    return ends ? unregister(task) : -EBUSY;
}
