/*
 * The Linux personality: how a system call is written, and what runs one.
 *
 * A call is written where it belongs, in any file:
 *
 *     LINUX_CALL(0, read, int fd, uintptr_t buffer, size_t count) {
 *         ...
 *         return bytes or a negative errno;
 *     }
 *
 * It runs in the calling thread, active (between k42_enter and k42_exit) with interrupts on, and
 * may wait only by WAIT_CALL (sched/wait.h). Arguments are what was in the registers: an int is
 * the lower half, pointers are uintptr_t and reached by user copies alone. Errors outside Linux's
 * range must not be returned. -LINUX_RESTART asks for the call to be made again after a signal.
 */
#ifndef KERNEL_LINUX_H
#define KERNEL_LINUX_H

#include <k42/base.h>

struct trap_frame;

typedef k42_result (*linux_call_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

struct linux_call {
    uint32_t number;
    const char *name;
    linux_call_fn fn;
};

#define LINUX_CALL(number_, name_, ...)                                                            \
    static k42_result linux_##name_(__VA_ARGS__);                                                  \
    static const struct linux_call call_##name_ = {number_, #name_,                                \
                                                   (linux_call_fn)(void (*)(void))linux_##name_};  \
    static const struct linux_call *const listed_##name_                                           \
        __attribute__((section("linux_calls"), used)) = &call_##name_;                             \
    static k42_result linux_##name_(__VA_ARGS__)

/*
 * What a waiting call returns when a signal ends it, as Linux's -ERESTART*: the personality makes
 * the call again or turns it into -EINTR, by the handler's SA_RESTART. Inside the kernel only.
 */
enum {
    LINUX_RESTART = 4200,     /* again if SA_RESTART or no handler ran */
    LINUX_RESTART_NO_HANDLER, /* again only if no handler ran; otherwise -EINTR */
    LINUX_RESTART_ALWAYS,     /* again, handler or not */
    LINUX_RESTART_BLOCK,      /* by restart_syscall, with what is left of the time */
};

#endif
