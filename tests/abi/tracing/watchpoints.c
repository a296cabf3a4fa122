/* The processor's debug registers: a tracer has a tracee stopped at what it writes or executes. */
#include "abi.h"

#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/user.h>

static volatile long watched;

__attribute__((noinline)) static void reached(void) {
    __asm__ volatile("");
}

static void runs(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    watched = 5;
    reached();
    watched = 6;
    _exit(7);
}

#define DEBUG(number) offsetof(struct user, u_debugreg[number])

static void stops_by(int child, int signal) {
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        give_up("wait");
    is("stop", status, signal << 8 | 0x7f);
}

static void tell(int child) {
    siginfo_t info;
    long status = 0;
    stops_by(child, SIGTRAP);
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    is("code", info.si_code, TRAP_HWBKPT);
    gives(0, ptrace, PTRACE_PEEKUSR, child, DEBUG(6), &status);
    say("status %lx", status & 15);
    gives(0, ptrace, PTRACE_POKEUSR, child, DEBUG(6), 0);
}

int main(void) {
    long word = 1;
    int status, child = fork();
    if (!child)
        runs();
    stops_by(child, SIGSTOP);
    gives(0, ptrace, PTRACE_PEEKUSR, child, DEBUG(7), &word);
    is("nothing", word, 0);
    fails(EIO, ptrace, PTRACE_POKEUSR, child, DEBUG(4), 1);
    fails(EINVAL, ptrace, PTRACE_POKEUSR, child, DEBUG(0), -4096);
    gives(0, ptrace, PTRACE_POKEUSR, child, DEBUG(0), &watched);
    gives(0, ptrace, PTRACE_POKEUSR, child, DEBUG(1), reached);
    gives(0, ptrace, PTRACE_POKEUSR, child, DEBUG(7), 0x9 << 16 | 1 | 4); /* writes of 8 bytes */
    gives(0, ptrace, PTRACE_PEEKUSR, child, DEBUG(0), &word);
    is("address", word == (long)&watched, 1);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    tell(child);
    gives(0, ptrace, PTRACE_PEEKDATA, child, &watched, &word);
    is("written", word, 5);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    tell(child);
    gives(0, ptrace, PTRACE_POKEUSR, child, DEBUG(7), 0);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    works(wait4, child, &status, 0, NULL);
    is("end", status, 7 << 8);
}
