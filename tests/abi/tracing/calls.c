/* A tracer sees calls begin and end, changes them, and leaves some out. */
#include "abi.h"

#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/user.h>

static void calls(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    abi_call(getpriority, 11, 22, 33, 44, 55, 66);
    is("changed argument", abi_call(close, 77), -1);
    is("error", errno, EINVAL);
    is("left out", abi_call(getppid), 4711);
    is("changed result", abi_call(getuid), 99);
}

static struct user_regs_struct registers;

static void next_stop(int child, int status) {
    int told = 0;
    if (waitpid(child, &told, __WALL) != child)
        give_up("wait");
    is("stop", told, status << 8 | 0x7f);
}

static void tell(int child) {
    struct ptrace_syscall_info info;
    unsigned long message = 0;
    memset(&info, 0, sizeof info);
    works(ptrace, PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    gives(0, ptrace, PTRACE_GETEVENTMSG, child, 0, &message);
    say("op %d arch %x message %lu", info.op, info.arch, message);
    is("there", info.instruction_pointer != 0 && info.stack_pointer != 0, 1);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        say("call %llu: %llu %llu %llu %llu %llu %llu", info.entry.nr, info.entry.args[0],
            info.entry.args[1], info.entry.args[2], info.entry.args[3], info.entry.args[4],
            info.entry.args[5]);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        say("result %lld error %d", info.exit.rval, info.exit.is_error);
}

/* Until it is about to make this call. */
static void until(int child, unsigned long number) {
    do {
        gives(0, ptrace, PTRACE_SYSCALL, child, 0, 0);
        next_stop(child, SIGTRAP | 0x80);
        gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
        if (registers.orig_rax != number) { /* and its end */
            gives(0, ptrace, PTRACE_SYSCALL, child, 0, 0);
            next_stop(child, SIGTRAP | 0x80);
        }
    } while (registers.orig_rax != number);
}

static void to_its_end(int child) {
    gives(0, ptrace, PTRACE_SYSCALL, child, 0, 0);
    next_stop(child, SIGTRAP | 0x80);
    gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
}

static void traces(int child) {
    siginfo_t info;
    next_stop(child, SIGSTOP);
    gives(0, ptrace, PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
    tell(child);

    until(child, SYS_getpriority);
    is("before it", registers.rax, -ENOSYS);
    tell(child);
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    say("signal %d code %x by %d", info.si_signo, info.si_code, info.si_pid == child);
    to_its_end(child);
    tell(child);

    until(child, SYS_close);
    is("argument", registers.rdi, 77);
    registers.rdi = 1000000;
    gives(0, ptrace, PTRACE_SETREGS, child, 0, &registers);
    to_its_end(child);
    is("result", registers.rax, -EBADF);
    gives(0, ptrace, PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), -EINVAL);

    until(child, SYS_getppid);
    gives(0, ptrace, PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
    to_its_end(child);
    is("not made", registers.rax, -ENOSYS);
    registers.rax = 4711;
    gives(0, ptrace, PTRACE_SETREGS, child, 0, &registers);

    until(child, SYS_getuid);
    to_its_end(child);
    registers.rax = 99;
    gives(0, ptrace, PTRACE_SETREGS, child, 0, &registers);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
}

int main(void) {
    int child = start(calls);
    traces(child);
    ended("calls", child);
}
