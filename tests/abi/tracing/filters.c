/* Filters that ask the tracer about a call; and signals that wait for a tracee. */
#include "abi.h"

#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/user.h>

static void filter(int number, unsigned answer) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog all = {4, program};
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, 0, &all);
}

static void is_asked_about(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    filter(SYS_getppid, SECCOMP_RET_TRACE | 17);
    filter(SYS_getpriority, SECCOMP_RET_ERRNO | EPERM);
    raise(SIGSTOP);
    is("made", abi_call(getppid) > 0, 1);
    is("left out", abi_call(getppid), 44);
    is("another", abi_call(getppid), -1);
    is("forbidden", errno, EPERM);
}

static void stops_by(int child, int status) {
    int told = 0;
    if (waitpid(child, &told, 0) != child)
        give_up("wait");
    is("stop", told, status << 8 | 0x7f);
}

static void asked(int child) {
    struct ptrace_syscall_info info = {0};
    unsigned long message = 0;
    stops_by(child, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
    gives(0, ptrace, PTRACE_GETEVENTMSG, child, 0, &message);
    is("message", message, 17);
    works(ptrace, PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    say("op %d call %llu data %u", info.op, info.seccomp.nr, info.seccomp.ret_data);
}

static void answers(int child) {
    struct user_regs_struct registers;
    stops_by(child, SIGSTOP);
    gives(0, ptrace, PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    asked(child);
    gives(0, ptrace, PTRACE_SYSCALL, child, 0, 0);
    stops_by(child, SIGTRAP | 0x80);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    asked(child);
    gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
    registers.orig_rax = -1;
    registers.rax = 44;
    gives(0, ptrace, PTRACE_SETREGS, child, 0, &registers);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    asked(child);
    gives(0, ptrace, PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), SYS_getpriority);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
}

static void blocks(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    for (int n = 0; n < 3; n++)
        sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 70 + n});
    abi_call(tgkill, getpid(), gettid(), SIGUSR2);
    raise(SIGSTOP);
}

static void waiting(void) {
    int status, child = fork();
    siginfo_t infos[4] = {0};
    uint64_t mask = 0;
    if (!child) {
        blocks();
        _exit(0);
    }
    stops_by(child, SIGSTOP);
    struct ptrace_peeksiginfo_args shared = {.flags = PTRACE_PEEKSIGINFO_SHARED, .nr = 4};
    struct ptrace_peeksiginfo_args own = {.nr = 4}, later = shared, bad = {.flags = 8, .nr = 1};
    later.off = 2;
    gives(3, ptrace, PTRACE_PEEKSIGINFO, child, &shared, infos);
    for (int n = 0; n < 3; n++)
        say("%d: %d", infos[n].si_signo, infos[n].si_value.sival_int);
    gives(1, ptrace, PTRACE_PEEKSIGINFO, child, &later, infos);
    is("value", infos[0].si_value.sival_int, 72);
    gives(1, ptrace, PTRACE_PEEKSIGINFO, child, &own, infos);
    is("signal", infos[0].si_signo, SIGUSR2);
    fails(EINVAL, ptrace, PTRACE_PEEKSIGINFO, child, &bad, infos);
    fails(EFAULT, ptrace, PTRACE_PEEKSIGINFO, child, BAD, infos);
    fails(EFAULT, ptrace, PTRACE_PEEKSIGINFO, child, &shared, BAD);
    gives(0, ptrace, PTRACE_SETSIGMASK, child, 8, &mask);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, SIGUSR2);
    kill(child, SIGKILL);
    works(wait4, child, &status, 0, NULL);
}

int main(void) {
    int child = start(is_asked_about);
    answers(child);
    ended("is asked about", child);
    waiting();
}
