/* Events: children, programs, ends; threads are tracees of their own. */
#include "abi.h"

#include <linux/ptrace.h>
#include <pthread.h>
#include <sys/user.h>

#define ALL                                                                                        \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |         \
     PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL)

static void *thread(void *) {
    abi_call(getppid);
    return NULL;
}

static void forks(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    int child = fork();
    if (!child)
        _exit(4);
    waitpid(child, NULL, 0);
    child = vfork();
    if (!child)
        _exit(5);
    waitpid(child, NULL, 0);
    char *words[] = {"sh", "-c", "exit 6", NULL};
    execve("/bin/sh", words, NULL);
}

static void threads(void) {
    pthread_t one;
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    pthread_create(&one, NULL, thread, NULL);
    pthread_join(one, NULL);
    doze(100); /* its end is to have been waited for before the process's */
    _exit(7);
}

static int known[16], count;

static int index_of(int pid) {
    for (int i = 0; i < count; i++)
        if (known[i] == pid)
            return i;
    known[count] = pid;
    return count++;
}

/* What each tracee did, told when all is over: they run beside each other. */
static char told[16][1024];

static void note(int who, const char *format, long number) {
    size_t used = strlen(told[who]);
    snprintf(told[who] + used, sizeof told[who] - used, format, number);
}

static void handle_stop(int pid, int status) {
    unsigned long message = 0;
    int event = status >> 16, signal = WSTOPSIG(status), deliver = 0;
    if (abi_call(ptrace, PTRACE_GETEVENTMSG, pid, 0, &message))
        give_up("message");
    if (event == PTRACE_EVENT_EXIT)
        note(index_of(pid), " exit(%lx)", message);
    else if (event == PTRACE_EVENT_EXEC)
        note(index_of(pid), " exec(%ld)", (int)message == pid);
    else if (event)
        note(index_of(pid), " event %ld", event), note(index_of(pid), " of %ld", index_of(message));
    else
        note(index_of(pid), " signal %ld", signal);
    if (!event && signal != SIGSTOP && signal != SIGTRAP)
        deliver = signal;
    if (abi_call(ptrace, PTRACE_CONT, pid, 0, deliver))
        give_up("cont");
}

static void trace(const char *what, void (*fn)(void)) {
    int status, child = fork();
    count = 0;
    memset(told, 0, sizeof told);
    if (!child) {
        fn();
        _exit(99);
    }
    index_of(child);
    waitpid(child, &status, 0);
    gives(0, ptrace, PTRACE_SETOPTIONS, child, 0, ALL);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    for (int pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status))
            handle_stop(pid, status);
        else
            note(index_of(pid), " ended %lx", status);
    }
    say("%s", what);
    for (int i = 0; i < count; i++)
        say("%d:%s", i, told[i]);
}

/* A program begins without that option: a signal stops it. */
static void begins(void) {
    char *words[] = {"sh", "-c", "exit 8", NULL};
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execve("/bin/sh", words, NULL);
}

static void without_options(void) {
    int status = 0, child = fork();
    if (!child)
        begins();
    works(wait4, child, &status, 0, NULL);
    is("stop", status, SIGTRAP << 8 | 0x7f);
    siginfo_t info;
    gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
    is("code", info.si_code, SI_USER);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
    works(wait4, child, &status, 0, NULL);
    is("end", status, 8 << 8);
}

static void pauses(void) {
    for (;;)
        pause();
}

/* Its tracer ends: it goes on, or ends, too. */
static void traces_and_ends(uint32_t options, int child) {
    if (abi_call(ptrace, PTRACE_SEIZE, child, 0, options))
        give_up("seize");
    _exit(0);
}

static void without_tracer(uint32_t options) {
    int status = 0, child = fork();
    if (!child)
        pauses();
    until_asleep(child);
    int tracer = fork();
    if (!tracer)
        traces_and_ends(options, child);
    waitpid(tracer, NULL, 0);
    if (options & PTRACE_O_EXITKILL) {
        works(wait4, child, &status, 0, NULL);
        is("killed", status, SIGKILL);
        return;
    }
    until_asleep(child);
    gives(0, wait4, child, &status, WNOHANG, NULL);
    kill(child, SIGKILL);
    works(wait4, child, &status, 0, NULL);
}

int main(void) {
    trace("forks", forks);
    trace("threads", threads);
    without_options();
    without_tracer(0);
    without_tracer(PTRACE_O_EXITKILL);
}
