/*
 * ioperm, iopl: which of the processor's ports a thread may use.
 *
 * A thread has a map of its own, which a child gets a copy of and a new program keeps. Level 3 of
 * iopl() allows all ports and nothing else, as on Linux: interrupts are not a program's to switch
 * off, but the instructions for that do nothing then instead of failing.
 *
 * No locking: a task's own thread alone. Fails: -ENOMEM.
 */
#include "ports.h"

#include "../arch/x86_64/user.h"
#include "../mem/heap/heap.h"
#include "../sched/thread.h"
#include "program.h"

#include <errno.h>
#include <k42/k42.h>
#include <linux/capability.h>

enum { LEVEL_ALL = 3, CLI = 0xfa, STI = 0xfb };

static const struct user_ports *ports_of(const struct task *task) {
    return task->ports_level == LEVEL_ALL ? &user_ports_all : task->ports;
}

k42_result ports_inherit(const struct task *from, struct task *task) {
    task->ports_level = from->ports_level;
    if (!from->ports)
        return 0;
    task->ports = heap_allocate(sizeof *task->ports);
    if (!task->ports)
        return -ENOMEM;
    *task->ports = *from->ports;
    return 0;
}

void ports_give(const struct task *task) {
    if (ports_of(task))
        user_ports_set(thread_user(task->thread), ports_of(task));
}

bool ports_skip(const struct task *task, struct trap_frame *frame) {
    uint8_t instruction;
    if (task->ports_level != LEVEL_ALL || frame->vector != VECTOR_PROTECTION)
        return false;
    k42_enter();
    k42_result result = program_read(&instruction, frame->rip, sizeof instruction);
    k42_exit();
    if (result < 0 || (instruction != CLI && instruction != STI))
        return false;
    frame->rip++;
    return true;
}

/* ---- the map ---- */

static k42_result make_map(struct task *task) {
    task->ports = heap_allocate(sizeof *task->ports);
    if (!task->ports)
        return -ENOMEM;
    __builtin_memset(task->ports, 0xff, sizeof *task->ports);
    return 0;
}

static void change(struct user_ports *ports, unsigned from, unsigned end, bool allow) {
    for (unsigned port = from; port < end; port++) {
        uint8_t bit = (uint8_t)(1u << port % 8);
        ports->forbidden[port / 8] &= (uint8_t)~bit;
        ports->forbidden[port / 8] |= allow ? 0 : bit;
    }
}

LINUX_CALL(173, ioperm, unsigned long from, unsigned long count, int allow) {
    struct task *task = task_self();
    if (from + count <= from || from + count > USER_PORTS)
        return -EINVAL;
    if (allow && !task_capable(task, CAP_SYS_RAWIO))
        return -EPERM;
    if (!task->ports && (!allow || make_map(task) < 0))
        return allow ? -ENOMEM : 0;
    change(task->ports, (unsigned)from, (unsigned)(from + count), allow);
    user_ports_set(user_current(), ports_of(task));
    return 0;
}

LINUX_CALL(172, iopl, unsigned level) {
    struct task *task = task_self();
    if (level > LEVEL_ALL)
        return -EINVAL;
    if (level > task->ports_level && !task_capable(task, CAP_SYS_RAWIO))
        return -EPERM;
    if (level == task->ports_level)
        return 0;
    task->ports_level = (uint8_t)level;
    user_ports_set(user_current(), ports_of(task));
    return 0;
}
