/* What a handler is told of where its signal is from: siginfo of every sender. */
#include "abi.h"

#include <sys/ioctl.h>

static int sender;

static void told(int signal, siginfo_t *info, void *) {
    say("  %d: errno %d, code %d, from %s, user %d", info->si_signo, info->si_errno, info->si_code,
        info->si_pid == sender     ? "the child"
        : info->si_pid == getpid() ? "itself"
                                   : "nobody",
        info->si_code <= 0 ? (int)info->si_uid : 0);
    if (info->si_code == SI_QUEUE || info->si_code == SI_TIMER)
        say("  value %d", info->si_value.sival_int);
    if (signal == SIGCHLD)
        say("  status %d", info->si_status);
}

static void does(void) {
    be(SOMEBODY);
    for (;;)
        pause();
}

/* SIGCHLD comes when it is known whom from. */
static void blocked(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(how, &set, NULL);
}

static void ends_by(int signal) {
    blocked(SIG_BLOCK);
    sender = fork();
    if (!sender) {
        signal ? kill(getpid(), signal) : _exit(7);
        _exit(0);
    }
    waitid(P_PID, sender, NULL, WEXITED);
    blocked(SIG_UNBLOCK);
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO | SA_RESTART};
    for (int signal = 1; signal <= 64; signal++)
        sigaction(signal, &action, NULL);
    say("kill");
    kill(getpid(), SIGUSR1);
    say("tkill");
    abi_call(tkill, gettid(), SIGUSR1);
    say("tgkill");
    abi_call(tgkill, getpid(), gettid(), SIGUSR1);
    say("queued");
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42});
    siginfo_t info = {.si_code = SI_MESGQ, .si_signo = 5, .si_errno = 3};
    info.si_value.sival_int = 9;
    gives(0, rt_sigqueueinfo, getpid(), SIGUSR2, &info);
    info.si_code = 5;
    gives(0, rt_sigqueueinfo, getpid(), SIGUSR2, &info);
    say("a timer");
    timer_t timer;
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 77};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &set, &old);
    timer_settime(timer, 0, &soon, NULL);
    gives(SIGRTMIN + 3, rt_sigtimedwait, &set, &info, NULL, 8);
    say("  code %d value %d overrun %d", info.si_code, info.si_value.sival_int, info.si_overrun);
    sigprocmask(SIG_SETMASK, &old, NULL);
    sigset_t of_children;
    sigemptyset(&of_children);
    sigaddset(&of_children, SIGCHLD);
    say("children");
    ends_by(0);
    ends_by(SIGKILL);
    blocked(SIG_BLOCK);
    int child = fork();
    if (!child) {
        for (int one = 1; one < 65; one++)
            signal(one, SIG_DFL);
        kill(getpid(), SIGSTOP);
        does();
    }
    sender = child;
    waitid(P_PID, child, NULL, WSTOPPED);
    sigwaitinfo(&of_children, &info);
    say("  code %d, status %d", info.si_code, info.si_status);
    kill(child, SIGCONT);
    sigwaitinfo(&of_children, &info);
    say("  code %d, status %d", info.si_code, info.si_status);
    waitid(P_PID, child, NULL, WCONTINUED);
    blocked(SIG_UNBLOCK);
    kill(child, SIGKILL);
    waitid(P_PID, child, NULL, WEXITED);
    say("a broken pipe");
    int ends[2];
    pipe(ends);
    close(ends[0]);
    fails(EPIPE, write, ends[1], "x", 1);
    say("an alarm");
    struct itimerval once = {.it_value.tv_usec = 1};
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    sigsuspend(&old);
    say("another user's");
    int to = getpid();
    blocked(SIG_BLOCK);
    sender = fork();
    if (!sender) {
        be(SOMEBODY);
        fails(EPERM, kill, to, SIGTERM);
        fails(EPERM, kill, to, 0);
        _exit(0);
    }
    waitid(P_PID, sender, NULL, WEXITED);
    blocked(SIG_UNBLOCK);
}
