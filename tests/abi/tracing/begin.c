/* How tracing begins and ends, who may, and requests that are refused. */
#include "abi.h"

#include <linux/ptrace.h>

static int child_that(void (*fn)(void)) {
    int child = fork();
    if (!child) {
        fn();
        _exit(0);
    }
    return child;
}

static int status_of(int child) {
    int status = 0;
    works(wait4, child, &status, __WALL, NULL);
    say("status %x", status);
    return status;
}

static void pauses(void) {
    for (;;)
        pause();
}

static void wishes(void) {
    gives(0, ptrace, PTRACE_TRACEME, 0, 0, 0);
    fails(EPERM, ptrace, PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    _exit(3);
}

static void by_its_own_wish(void) {
    int child = child_that(wishes);
    status_of(child);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    status_of(child);
}

static const char *tracer_of(int child, int self) {
    static char line[64];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", child);
    const char *at = strstr(get(path), "TracerPid:");
    int tracer = atoi(at + 10);
    snprintf(line, sizeof line, "tracer %s", tracer == self ? "self" : tracer ? "other" : "none");
    return line;
}

static void by_attaching(void) {
    int child = child_that(pauses);
    until_asleep(child);
    say("%s", tracer_of(child, getpid()));
    gives(0, ptrace, PTRACE_ATTACH, child, 0, 0);
    status_of(child);
    say("%s", tracer_of(child, getpid()));
    fails(EPERM, ptrace, PTRACE_ATTACH, child, 0, 0);
    fails(EPERM, ptrace, PTRACE_SEIZE, child, 0, 0);
    fails(EIO, ptrace, PTRACE_INTERRUPT, child, 0, 0);
    fails(EIO, ptrace, PTRACE_LISTEN, child, 0, 0);
    fails(EIO, ptrace, PTRACE_DETACH, child, 0, 99);
    gives(0, ptrace, PTRACE_DETACH, child, 0, 0);
    say("%s", tracer_of(child, getpid()));
    fails(ESRCH, ptrace, PTRACE_CONT, child, 0, 0);
    until_asleep(child);
    gives(0, ptrace, PTRACE_ATTACH, child, 0, 0);
    status_of(child);
    gives(0, ptrace, PTRACE_DETACH, child, 0, SIGTERM);
    status_of(child);
}

static void by_seizing(void) {
    int child = child_that(pauses), status = 0;
    until_asleep(child);
    fails(EIO, ptrace, PTRACE_SEIZE, child, 8, 0);
    fails(EIO, ptrace, PTRACE_SEIZE, child, 0, 0x40000000);
    gives(0, ptrace, PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD);
    fails(ESRCH, ptrace, PTRACE_CONT, child, 0, 0);
    fails(ESRCH, ptrace, PTRACE_GETSIGINFO, child, 0, 0);
    gives(0, wait4, child, &status, WNOHANG | __WALL, NULL);
    gives(0, ptrace, PTRACE_INTERRUPT, child, 0, 0);
    status_of(child);
    gives(0, ptrace, PTRACE_KILL, child, 0, 0);
    status_of(child);
}

static void refused_requests(void) {
    int child = child_that(pauses);
    unsigned long word[64] = {0};
    siginfo_t info;
    until_asleep(child);
    gives(0, ptrace, PTRACE_ATTACH, child, 0, 0);
    status_of(child);
    fails(EIO, ptrace, 0x7777, child, 0, 0);
    fails(EIO, ptrace, PTRACE_CONT, child, 0, 99);
    fails(EIO, ptrace, PTRACE_PEEKDATA, child, 8, word);
    fails(EIO, ptrace, PTRACE_POKEDATA, child, 8, 0);
    fails(EIO, ptrace, PTRACE_PEEKUSR, child, 3, word);
    fails(EIO, ptrace, PTRACE_PEEKUSR, child, 1 << 16, word);
    fails(EFAULT, ptrace, PTRACE_PEEKDATA, child, word, BAD);
    fails(EFAULT, ptrace, PTRACE_GETREGS, child, 0, BAD);
    fails(EFAULT, ptrace, PTRACE_SETREGS, child, 0, BAD);
    fails(EFAULT, ptrace, PTRACE_GETSIGINFO, child, 0, BAD);
    fails(EFAULT, ptrace, PTRACE_GETEVENTMSG, child, 0, BAD);
    fails(EFAULT, ptrace, PTRACE_GETREGSET, child, 1, BAD);
    fails(EINVAL, ptrace, PTRACE_GETREGSET, child, 99, &(struct iovec){word, sizeof word});
    fails(EINVAL, ptrace, PTRACE_GETREGSET, child, 1, &(struct iovec){word, 7});
    fails(EINVAL, ptrace, PTRACE_SETOPTIONS, child, 0, 0x40000000);
    fails(EINVAL, ptrace, PTRACE_GETSIGMASK, child, 4, word);
    fails(EINVAL, ptrace, PTRACE_SETSIGMASK, child, 16, word);
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    kill(child, SIGKILL);
    status_of(child);
}

static void somebody(void) {
    int root = getppid();
    be(SOMEBODY);
    fails(EPERM, ptrace, PTRACE_ATTACH, root, 0, 0);
    fails(EPERM, ptrace, PTRACE_SEIZE, root, 0, 0);
}

static void of_others(void) {
    fails(ESRCH, ptrace, PTRACE_ATTACH, 0x3ffffff, 0, 0);
    fails(ESRCH, ptrace, PTRACE_CONT, getppid(), 0, 0);
    fails(EPERM, ptrace, PTRACE_ATTACH, getpid(), 0, 0);
    fails(ESRCH, ptrace, PTRACE_PEEKDATA, getpid(), 0, 0);
    in_child("somebody", somebody);
}

int main(void) {
    by_its_own_wish();
    by_attaching();
    by_seizing();
    refused_requests();
    of_others();
}
