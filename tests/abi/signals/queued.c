/* Real-time signals are queued, in order, with values; rt_sigqueueinfo, rt_tgsigqueueinfo. */
#include "abi.h"

static int order[8], values[8], count;

static void handler(int signal, siginfo_t *info, void *) {
    order[count] = signal;
    values[count++] = info->si_value.sival_int;
}

static void somebody(void) {
    siginfo_t info = {.si_code = SI_QUEUE};
    be(SOMEBODY);
    fails(EPERM, rt_sigqueueinfo, getppid(), SIGRTMIN, &info);
    fails(EPERM, rt_tgsigqueueinfo, getppid(), getppid(), SIGRTMIN, &info);
}

static void too_many(void) {
    struct rlimit few = {2, 2};
    siginfo_t info = {.si_code = SI_QUEUE};
    sigset_t all;
    be(SOMEBODY);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setrlimit(RLIMIT_SIGPENDING, &few);
    gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    fails(EAGAIN, rt_sigqueueinfo, getpid(), SIGRTMIN, &info);
    gives(0, kill, getpid(), SIGRTMIN + 1);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    siginfo_t info = {.si_code = SI_QUEUE};
    sigset_t all;
    sigfillset(&action.sa_mask);
    sigfillset(&all);
    sigaction(SIGRTMIN, &action, NULL);
    sigaction(SIGRTMIN + 1, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 2; i++) {
        info.si_value.sival_int = i;
        gives(0, rt_sigqueueinfo, getpid(), SIGRTMIN + 1, &info);
        gives(0, rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN, &info);
        gives(0, rt_sigqueueinfo, getpid(), SIGUSR1, &info);
    }
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < count; i++)
        say("%d: %d", order[i], values[i]);
    fails(EINVAL, rt_sigqueueinfo, getpid(), 65, &info);
    fails(EINVAL, rt_tgsigqueueinfo, getpid(), gettid(), 65, &info);
    fails(EINVAL, rt_tgsigqueueinfo, 0, gettid(), SIGUSR1, &info);
    fails(ESRCH, rt_sigqueueinfo, 99999, SIGUSR1, &info);
    fails(ESRCH, rt_tgsigqueueinfo, getpid(), 99999, SIGUSR1, &info);
    fails(EFAULT, rt_sigqueueinfo, getpid(), SIGUSR1, BAD);
    fails(EFAULT, rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, BAD);
    info.si_code = SI_USER;
    fails(EPERM, rt_sigqueueinfo, getppid(), SIGUSR1, &info);
    fails(EPERM, rt_tgsigqueueinfo, getppid(), getppid(), SIGUSR1, &info);
    in_child("somebody", somebody);
    in_child("too many", too_many);
}
