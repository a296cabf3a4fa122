/* Filters of calls: each answer, several of them, and who has them. */
#include "abi.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

/* One that answers so for one call and allows all others. */
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

static void refuses(void) {
    filter(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY);
    is("result", abi_call(getppid), -1);
    is("error", errno, ENOTTY);
    filter(SYS_getuid, SECCOMP_RET_ERRNO | 5000);
    is("result", syscall(SYS_getuid), -1);
    is("at most", errno, 4095);
    filter(SYS_getgid, SECCOMP_RET_ERRNO);
    is("nothing", syscall(SYS_getgid), 0);
    /* The one that leaves less counts, whichever came first. */
    filter(SYS_getppid, SECCOMP_RET_ALLOW);
    is("still", abi_call(getppid), -1);
    gives(SECCOMP_MODE_FILTER, prctl, PR_GET_SECCOMP, 0, 0, 0, 0);
}

static int number, code, architecture, told_error;

static void handler(int, siginfo_t *info, void *) {
    number = info->si_syscall;
    code = info->si_code;
    architecture = info->si_arch;
    told_error = info->si_errno;
}

static void traps(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    filter(SYS_getppid, SECCOMP_RET_TRAP | 77);
    is("the number is the result", abi_call(getppid), SYS_getppid);
    say("%d %d %x %d", number, code, architecture, told_error);
}

static void is_killed(void) {
    filter(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    abi_call(getppid);
    say("still here");
}

static void thread_is_killed(void) {
    filter(SYS_getppid, SECCOMP_RET_KILL_THREAD);
    abi_call(getppid);
    say("still here");
}

static void nobody_traces(void) {
    filter(SYS_getppid, SECCOMP_RET_TRACE);
    is("result", abi_call(getppid), -1);
    is("error", errno, ENOSYS);
}

static void child(void) {
    is("child's", abi_call(getppid), -1);
}

static void passes_on(void) {
    char *words[] = {"sh", "-c", "grep Seccomp: /proc/self/status", NULL};
    filter(SYS_getppid, SECCOMP_RET_ERRNO | EPERM);
    in_child("child", child);
    ends(execve, "/bin/sh", words, NULL);
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    in_child("refuses", refuses);
    in_child("traps", traps);
    in_child("is killed", is_killed);
    in_child("thread is killed", thread_is_killed);
    in_child("nobody traces", nobody_traces);
    in_child("passes on", passes_on);
    gives(SECCOMP_MODE_DISABLED, prctl, PR_GET_SECCOMP, 0, 0, 0, 0);
}
