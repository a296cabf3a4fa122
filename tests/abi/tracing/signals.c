/* What signals do to a tracee: each stops it, and its tracer says what becomes of it. */
#include "abi.h"

#include <linux/ptrace.h>
#include <sys/user.h>

static void count_it(int signal, siginfo_t *info, void *) {
    say("handler: %d code %d value %d", signal, info->si_code, info->si_value.sival_int);
}

static void gets_signals(void) {
    struct sigaction action = {.sa_sigaction = count_it, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    say("raises");
    raise(SIGUSR1); /* delivered */
    raise(SIGUSR1); /* suppressed */
    raise(SIGUSR1); /* another in its place */
    raise(SIGHUP);  /* ignored, but seen */
    raise(SIGTERM); /* not to its end */
    sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 17});
    raise(SIGSEGV); /* its end */
}

static void stops_by(int child, int signal) {
    int status = 0;
    siginfo_t info = {0}, waited = {0};
    gives(0, waitid, P_PID, child, &waited, WSTOPPED | WNOWAIT, NULL);
    say("waitid: %d code %d status %d", waited.si_signo, waited.si_code, waited.si_status);
    works(wait4, child, &status, 0, NULL);
    is("stop", status, signal << 8 | 0x7f);
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    say("info: %d code %d", info.si_signo, info.si_code);
}

static void change_value(int child) {
    siginfo_t info;
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    is("value", info.si_value.sival_int, 17);
    info.si_value.sival_int = 18;
    gives(0, ptrace, PTRACE_SETSIGINFO, child, 0, &info);
}

static void decides(int child) {
    uint64_t mask = 0;
    stops_by(child, SIGUSR1);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGUSR1);
    stops_by(child, SIGUSR1);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, SIGUSR1);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGUSR2);
    stops_by(child, SIGHUP);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGHUP);
    stops_by(child, SIGTERM);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, SIGUSR2);
    change_value(child);
    gives(0, ptrace, PTRACE_GETSIGMASK, child, 8, &mask);
    is("mask", (long)mask, 0);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGUSR2);
    stops_by(child, SIGSEGV);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGSEGV);
}

static void waits(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    for (;;)
        pause();
}

/* A tracer hears of stops by SIGCHLD, unless it said it did not want to. */
static volatile sig_atomic_t told_code, told_status;

static void hear(int, siginfo_t *info, void *) {
    told_code = info->si_code;
    told_status = info->si_status;
}

static void hears(void) {
    struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};
    sigset_t children, before;
    int status;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &before);
    sigaction(SIGCHLD, &action, NULL);
    int child = fork();
    if (!child)
        waits();
    while (!told_code)
        sigsuspend(&before);
    say("told: code %d status %d", told_code, told_status);
    waitpid(child, &status, 0);
    kill(child, SIGKILL);
    works(wait4, child, &status, 0, NULL);
    is("killed while it had stopped", status, SIGKILL);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    int child = start(gets_signals);
    decides(child);
    ended("gets signals", child);
    hears();
}
