/* A tracee's process stops: what its tracer and its parent see, and how it goes on. */
#include "abi.h"

#include <linux/ptrace.h>

static void pauses(void) {
    for (;;)
        pause();
}

static int sleeper(void) {
    int child = fork();
    if (!child)
        pauses();
    until_asleep(child);
    return child;
}

static void stops_by(int child, int status) {
    int told = 0;
    works(wait4, child, &told, __WALL, NULL);
    is("stop", told, status << 8 | 0x7f);
}

static void ends_it(int child) {
    int status;
    kill(child, SIGKILL);
    works(wait4, child, &status, __WALL, NULL);
    is("end", status, SIGKILL);
}

/* Attached: the signal first, then the stop, at which there is no signal. */
static void attached(void) {
    int child = sleeper(), status = 0;
    siginfo_t info;
    gives(0, ptrace, PTRACE_ATTACH, child, 0, 0);
    stops_by(child, SIGSTOP);
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    is("code", info.si_code, SI_KERNEL);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    gives(0, wait4, child, &status, WNOHANG | WUNTRACED, NULL);
    kill(child, SIGSTOP);
    stops_by(child, SIGSTOP);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGSTOP);
    stops_by(child, SIGSTOP);
    fails(EINVAL, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    until_asleep(child); /* in pause(), though its process has stopped */
    ends_it(child);
}

#define STOP_EVENT(signal) ((signal) | PTRACE_EVENT_STOP << 8)

static void seized(void) {
    int child = sleeper(), status = 0;
    siginfo_t info;
    gives(0, ptrace, PTRACE_SEIZE, child, 0, 0);
    kill(child, SIGSTOP);
    stops_by(child, SIGSTOP);
    fails(EIO, ptrace, PTRACE_LISTEN, child, 0, 0);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGSTOP);
    stops_by(child, STOP_EVENT(SIGSTOP));
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    is("code", info.si_code, STOP_EVENT(SIGSTOP));
    gives(0, ptrace, PTRACE_LISTEN, child, 0, 0);
    fails(ESRCH, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    gives(0, wait4, child, &status, WNOHANG | __WALL, NULL);
    gives(0, ptrace, PTRACE_INTERRUPT, child, 0, 0);
    stops_by(child, STOP_EVENT(SIGSTOP));
    gives(0, ptrace, PTRACE_LISTEN, child, 0, 0);
    kill(child, SIGCONT);
    stops_by(child, STOP_EVENT(SIGTRAP));
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, SIGCONT);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    until_asleep(child);
    gives(0, ptrace, PTRACE_INTERRUPT, child, 0, 0);
    stops_by(child, STOP_EVENT(SIGTRAP));
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    until_asleep(child);
    ends_it(child);
}

/* One that has stopped already is seized and continued, as strace does with what it starts. */
static void seized_while_stopped(void) {
    int status = 0, child = fork();
    if (!child) {
        raise(SIGSTOP);
        _exit(9);
    }
    works(wait4, child, &status, WUNTRACED, NULL);
    gives(0, ptrace, PTRACE_SEIZE, child, 0, 0);
    stops_by(child, STOP_EVENT(SIGSTOP));
    kill(child, SIGCONT);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, STOP_EVENT(SIGTRAP));
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    stops_by(child, SIGCONT);
    gives(0, ptrace, PTRACE_DETACH, child, 0, SIGCONT);
    works(wait4, child, &status, 0, NULL);
    is("end", status, 9 << 8);
}

/* It is left while its process has stopped: it stays so, and its parent is told. */
static void left(void) {
    int child = sleeper(), status = 0;
    gives(0, ptrace, PTRACE_SEIZE, child, 0, 0);
    kill(child, SIGSTOP);
    stops_by(child, SIGSTOP);
    gives(0, ptrace, PTRACE_CONT, child, 0, SIGSTOP);
    stops_by(child, STOP_EVENT(SIGSTOP));
    gives(0, ptrace, PTRACE_DETACH, child, 0, 0);
    kill(child, SIGCONT);
    works(wait4, child, &status, WCONTINUED, NULL);
    until_asleep(child);
    ends_it(child);
}

/* Somebody else's child: its parent learns of its end when its tracer has. */
static int ready[2];

static void traces_a_sibling(int child) {
    int status = 0;
    char byte = 0;
    if (abi_call(ptrace, PTRACE_SEIZE, child, 0, 0))
        give_up("seize");
    write(ready[1], &byte, 1);
    siginfo_t info = {0};
    if (waitid(P_PID, child, &info, WEXITED | WNOWAIT))
        give_up("waitid");
    doze(100);
    write(ready[1], &byte, 1);
    if (waitpid(child, &status, __WALL) != child || status != 11 << 8)
        give_up("wait");
    _exit(0);
}

static void of_a_sibling(void) {
    int status = 0, gate[2];
    char byte;
    if (pipe(ready) || pipe(gate))
        give_up("pipe");
    int child = fork();
    if (!child) {
        read(gate[0], &byte, 1);
        _exit(11);
    }
    int tracer = fork();
    if (!tracer)
        traces_a_sibling(child);
    read(ready[0], &byte, 1);
    write(gate[1], &byte, 1);
    works(wait4, child, &status, 0, NULL);
    is("its tracer was first", read(ready[0], &byte, 1), 1);
    is("end", status, 11 << 8);
    works(wait4, tracer, &status, 0, NULL);
    is("tracer", status, 0);
}

int main(void) {
    attached();
    seized();
    seized_while_stopped();
    left();
    of_a_sibling();
}
