/* getrusage, times and wait4: what children used counts when they have been waited for. */
#include "abi.h"

#include <sys/times.h>

static void busy(void) {
    struct timespec now;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < 60);
}

static long used(const struct rusage *usage) {
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
           (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

static long of_children(void) {
    struct rusage usage;
    abi_call(getrusage, RUSAGE_CHILDREN, &usage);
    return used(&usage);
}

int main(void) {
    struct rusage usage, own;
    struct tms now;
    int child = fork();
    if (!child) {
        int grandchild = fork();
        if (!grandchild) {
            busy();
            _exit(0);
        }
        waitpid(grandchild, NULL, 0);
        is("a grandchild's is its parent's", of_children() >= 50, 1);
        _exit(0);
    }
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    is("nobody has been waited for", of_children(), 0);
    works(wait4, child, NULL, 0, &usage);
    is("told", used(&usage) >= 50, 1);
    is("counted", of_children() >= 50, 1);
    works(times, &now);
    is("in ticks", now.tms_cutime + now.tms_cstime >= 5, 1);
    long before = of_children();
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (!child) {
        busy();
        _exit(0);
    }
    fails(ECHILD, wait4, child, NULL, 0, NULL);
    is("those nobody waits for do not count", of_children() == before, 1);
    signal(SIGCHLD, SIG_DFL);
    busy();
    gives(0, getrusage, RUSAGE_SELF, &own);
    is("own", used(&own) >= 50, 1);
    gives(0, getrusage, RUSAGE_THREAD, &usage);
    is("the only thread's", used(&usage) >= 50, 1);
    is("memory", own.ru_maxrss > 100, 1);
    is("faults", own.ru_minflt > 0, 1);
    struct timespec time, thread;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &thread);
    is("clocks agree", time.tv_sec * 1000 + time.tv_nsec / 1000000 >= 60, 1);
    is("and of the thread", thread.tv_sec * 1000 + thread.tv_nsec / 1000000 >= 60, 1);
    child = fork();
    if (!child) {
        getrusage(RUSAGE_SELF, &own);
        _exit(used(&own) < 40 && of_children() == 0 ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    is("a child begins with none", status, 0);
    fails(EINVAL, getrusage, 5, &own);
    fails(EFAULT, wait4, fork() ?: (_exit(0), 0), NULL, 0, BAD);
}
