/* RLIMIT_SIGPENDING: how many signals an ordinary user may have waiting; plain ones come always. */
#include "abi.h"

#define USER 4322

static void user(void) {
    struct rlimit few = {2, 2};
    union sigval value = {.sival_int = 1};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    be(USER);
    setrlimit(RLIMIT_SIGPENDING, &few);
    siginfo_t info = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE, .si_pid = getpid()};
    gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    fails(EAGAIN, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    fails(EAGAIN, rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &info);
    gives(0, kill, getpid(), SIGUSR1);
    struct timespec none = {};
    gives(SIGUSR1, rt_sigtimedwait, &set, NULL, &none, 8);
    gives(SIGRTMIN, rt_sigtimedwait, &set, NULL, &none, 8);
    gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    gives(SIGRTMIN, rt_sigtimedwait, &set, NULL, &none, 8);
    gives(SIGRTMIN, rt_sigtimedwait, &set, NULL, &none, 8);
    fails(EAGAIN, rt_sigtimedwait, &set, NULL, &none, 8);
}

int main(void) {
    in_child("user", user);
}
