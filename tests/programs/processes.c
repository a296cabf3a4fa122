/*
 * Processes: fork, ends, waiting, who is whose.
 */
#include "say.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void exit_seven(void) {
    _exit(7);
}

static void be_killed(void) {
    kill(getpid(), SIGKILL);
}

static void abort_self(void) {
    abort();
}

static void read_null(void) {
    *(volatile int *)16;
}

static void divide(void) {
    volatile int zero = 0, one = 1;
    one /= zero;
}

static void trap(void) {
    __asm__ volatile("ud2");
}

static void ends(void) {
    in_child("exit", exit_seven);
    in_child("kill", be_killed);
    in_child("abort", abort_self);
    in_child("null", read_null);
    in_child("divide", divide);
    in_child("ud2", trap);
}

static void memory_is_a_copy(void) {
    volatile int value = 1;
    int status;
    pid_t child = fork();
    if (child == 0) {
        value = 2;
        _exit(value + 10);
    }
    waitpid(child, &status, 0);
    say_status("child's copy", status);
    say("parent's: %d", value);
}

static void vfork_shares(void) {
    volatile int value = 1;
    int status;
    pid_t child = vfork();
    if (child == 0) {
        value = 2;
        _exit(3);
    }
    say("after vfork: %d", value);
    waitpid(child, &status, 0);
    say_status("vfork", status);
}

static void waiting(void) {
    int status;
    siginfo_t info;
    tell("wait without children", wait(&status));
    tell("waitpid of nobody", waitpid(getpid(), &status, 0));
    tell("waitpid with bad options", waitpid(-1, &status, 0x100000));
    int gate[2];
    if (pipe(gate))
        return;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 5 : 6);
    }
    close(gate[0]);
    tell("WNOHANG while it runs", waitpid(child, &status, WNOHANG));
    close(gate[1]);
    memset(&info, 0, sizeof info);
    tell("waitid WNOWAIT", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    say("signal %d code %d status %d, ours %d", info.si_signo, info.si_code, info.si_status,
        info.si_pid == child);
    tell("kill of an ended child", kill(child, 0));
    say("waitpid: %d", waitpid(child, &status, 0) == child);
    say_status("it", status);
    tell("kill of a child that is gone", kill(child, 0));
    tell("waitid again", waitid(P_PID, (id_t)child, &info, WEXITED));
}

static void stopping(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    waitpid(child, &status, WUNTRACED);
    say_status("child", status);
    tell("no news", waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED));
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    say_status("child", status);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    say_status("child", status);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    say_status("killed while stopped", status);
}

/* Who continues a child hears of its end, though that may be over before kill() has returned. */
static void ending_when_continued(void) {
    int ended = 0, status;
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) {
            raise(SIGSTOP);
            _exit(7);
        }
        waitpid(child, &status, WUNTRACED);
        kill(child, SIGCONT);
        ended += waitpid(child, &status, 0) == child && WIFEXITED(status);
    }
    say("ended when continued: %d", ended);
}

static void orphans(void) {
    int news[2], status;
    pid_t reaper = getpid();
    char byte;
    if (pipe(news))
        return;
    tell("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
    pid_t child = fork();
    if (child == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent)
                usleep(1000);
            byte = getppid() == reaper ? 'r' : 'x';
            _exit(write(news[1], &byte, 1) == 1 ? 9 : 1);
        }
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (read(news[0], &byte, 1) == 1)
        say("the orphan's parent: %c", byte);
    pid_t orphan = wait(&status);
    say("another one: %d", orphan > 0 && orphan != child);
    say_status("orphan", status);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void death_is_told(void) {
    int news[2], status;
    char byte = 0;
    if (pipe(news))
        return;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) {
        int gate[2];
        if (pipe(gate))
            _exit(1);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (write(gate[1], "x", 1) != 1)
                _exit(2);
            for (;;)
                pause();
        }
        _exit(read(gate[0], &byte, 1) != 1);
    }
    waitpid(child, &status, 0);
    say_status("parent", status);
    wait(&status);
    say_status("its child", status);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void ignored_children(void) {
    int status;
    signal(SIGCHLD, SIG_IGN);
    pid_t child = fork();
    if (child == 0)
        _exit(1);
    tell("wait for ignored children", waitpid(child, &status, 0));
    signal(SIGCHLD, SIG_DFL);
}

static void groups(void) {
    int status;
    pid_t self = getpid();
    in_child("setsid", exit_seven);
    pid_t child = fork();
    if (child == 0) {
        tell_success("setsid", setsid());
        say("leads: %d %d", getsid(0) == getpid(), getpgrp() == getpid());
        tell("setsid again", setsid());
        tell("setpgid of a leader", setpgid(0, 0));
        _exit(0);
    }
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) {
        tell("own group", setpgid(0, 0));
        say("group: %d", getpgrp() == getpid());
        tell("a group of nobody", setpgid(0, 30000));
        _exit(0);
    }
    waitpid(child, &status, 0);
    tell("setpgid of nobody", setpgid(30000, 0));
    tell("negative", setpgid(0, -1));
    tell("getpgid of nobody", getpgid(30000));
    say("still me: %d", getpid() == self);
    /* Two in a group are waited for by it. */
    pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        for (;;)
            pause();
    }
    setpgid(first, first);
    pid_t second = fork();
    if (second == 0) {
        setpgid(0, first);
        for (;;)
            pause();
    }
    setpgid(second, first);
    tell("kill the group", kill(-first, SIGTERM));
    int reaped = 0;
    while (waitpid(-first, &status, 0) > 0)
        reaped += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    say("both ended: %d, then %s", reaped, strerrorname_np(errno));
    tell("kill the empty group", kill(-first, 0));
}

static void clones(void) {
    long child = syscall(SYS_clone, 0ul, 0, 0, 0, 0);
    int status;
    if (child == 0)
        _exit(3);
    tell("wait for a clone without signal", waitpid((pid_t)child, &status, 0));
    say("with __WCLONE: %d", waitpid((pid_t)child, &status, __WCLONE) == child);
    say_status("clone", status);
    tell("thread without memory", syscall(SYS_clone, (long)CLONE_THREAD, 0, 0, 0, 0));
    tell("handlers without memory", syscall(SYS_clone, (long)CLONE_SIGHAND, 0, 0, 0, 0));
    tell("clone3, too small", syscall(SYS_clone3, NULL, 8));
}

static void unsharing(void) {
    char before[65], after[65];
    gethostname(before, sizeof before);
    pid_t child = fork();
    if (child == 0) {
        tell("unshare what nobody has", unshare(0x7f));
        tell("unshare a thread's", unshare(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD));
        tell("unshare names", unshare(CLONE_NEWUTS | CLONE_FS));
        tell("sethostname", sethostname("another", 7));
        gethostname(after, sizeof after);
        say("its own name: %s", after);
        if (fork() == 0) {
            gethostname(after, sizeof after);
            say("its child's: %s", after);
            _exit(0);
        }
        wait(NULL);
        tell("setuid", setuid(1234));
        tell("unshare as anybody", unshare(CLONE_NEWUTS));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    gethostname(after, sizeof after);
    say("the name here is as it was: %d", !strcmp(before, after));
    int file = dup(1);
    child = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_FILES | SIGCHLD), 0, 0, 0, 0);
    if (child == 0) {
        tell("unshare files", unshare(CLONE_FILES));
        _exit(close(file));
    }
    waitpid(child, NULL, 0);
    tell("its close was its own", close(file));
}

static void tell_priority(const char *what, int which, int who) {
    long value = syscall(SYS_ioprio_get, which, who);
    if (value < 0)
        tell(what, value);
    else
        say("%s: %ld.%ld", what, value >> 13, value & 7);
}

static void input_output_priorities(void) {
    static const int values[] = {0x4003, 0x2001, 0x6007, 0, 3, 0x8000, 0x4000};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        tell("ioprio_set", syscall(SYS_ioprio_set, 1, 0, values[i]));
        tell_priority("ioprio_get", 1, 0);
    }
    tell("ioprio_set of what", syscall(SYS_ioprio_set, 9, 0, 0x4000));
    tell("ioprio_set of nobody", syscall(SYS_ioprio_set, 1, 999999, 0x4000));
    tell_priority("ioprio_get of what", 4, 0);
    setpgid(0, 0);
    tell_priority("of a group", 2, 0);
    if (fork() == 0) {
        tell_priority("inherited", 1, 0);
        _exit(0);
    }
    wait(NULL);
}

static void limits(void) {
    struct rlimit limit;
    tell("getrlimit", getrlimit(RLIMIT_CORE, &limit));
    limit.rlim_cur = 5;
    limit.rlim_max = 4;
    tell("the least above the most", setrlimit(RLIMIT_CORE, &limit));
    tell("no such limit", getrlimit(99, &limit));
    struct rusage usage;
    tell("getrusage", getrusage(RUSAGE_SELF, &usage));
    tell("getrusage of whom", getrusage(77, &usage));
}

static void many(void) {
    int sum = 0, status;
    for (int i = 0; i < 40; i++)
        if (fork() == 0)
            _exit(i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    say("forty: %d", sum);
}

int main(void) {
    ends();
    memory_is_a_copy();
    vfork_shares();
    waiting();
    stopping();
    ending_when_continued();
    orphans();
    death_is_told();
    ignored_children();
    groups();
    clones();
    in_child("unsharing", unsharing);
    in_child("priorities", input_output_priorities);
    limits();
    many();
    return 0;
}
