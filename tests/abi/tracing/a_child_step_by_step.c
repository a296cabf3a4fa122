/* ptrace: a child that asks to be traced is stopped, looked into, changed, and let go on. */
#include "abi.h"

#include <sys/ptrace.h>
#include <sys/user.h>

static long word = 0x1234;

int main(void) {
    int child = fork(), status, steps = 0;
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        _exit(word == 0x4321 ? 5 : 6);
    }
    is("waited", waitpid(child, &status, 0) == child, 1);
    is("stopped by", WSTOPSIG(status), SIGSTOP);
    long seen;
    gives(0, ptrace, PTRACE_PEEKDATA, child, &word, &seen);
    is("word", seen, 0x1234);
    gives(0, ptrace, PTRACE_POKEDATA, child, &word, 0x4321);
    while (steps < 20) {
        struct user_regs_struct before, after;
        ptrace(PTRACE_GETREGS, child, 0, &before);
        if (ptrace(PTRACE_SINGLESTEP, child, 0, 0))
            give_up("step");
        if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
            give_up("wait");
        ptrace(PTRACE_GETREGS, child, 0, &after);
        steps += after.rip != before.rip;
    }
    is("stopped by", WSTOPSIG(status), SIGTRAP);
    fails(EIO, ptrace, PTRACE_PEEKDATA, child, BAD, &seen);
    fails(ESRCH, ptrace, PTRACE_CONT, getppid(), 0, 0);
    gives(0, ptrace, PTRACE_DETACH, child, 0, 0);
    is("waited", waitpid(child, &status, 0) == child, 1);
    is("status", WEXITSTATUS(status), 5);
}
