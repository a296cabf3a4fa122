/* Masks of signals: in handlers, over fork and exec, what cannot be blocked. */
#include "abi.h"

static void mask(const char *what) {
    uint64_t now = 0;
    abi_call(rt_sigprocmask, SIG_BLOCK, NULL, &now, 8);
    say("%s: %lx", what, now);
}

static void in_handler(int signal) {
    char what[32];
    snprintf(what, sizeof what, "in %d", signal);
    mask(what);
    if (signal == SIGUSR1) {
        uint64_t all = 0;
        abi_call(rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
        mask("changed there");
    }
}

static void on(int signal, int flags, int also) {
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = flags};
    if (also)
        sigaddset(&action.sa_mask, also);
    sigaction(signal, &action, NULL);
}

static void child(void) {
    uint64_t waits = 0;
    mask("inherited");
    abi_call(rt_sigpending, &waits, 8);
    is("what waited did not come along", waits, 0);
}

static void becomes(void) {
    char *words[] = {"grep", "-E", "Sig(Blk|Ign|Cgt)|ShdPnd", "/proc/self/status", NULL};
    signal(SIGWINCH, SIG_IGN);
    kill(getpid(), SIGHUP); /* blocked, and so waits */
    execv("/bin/grep", words);
}

int main(void) {
    uint64_t set = ~0ul, old;
    gives(0, rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    mask("all but SIGKILL and SIGSTOP");
    set = 0;
    gives(0, rt_sigprocmask, SIG_SETMASK, &set, &old, 8);
    mask("none");
    on(SIGUSR1, 0, SIGTERM);
    on(SIGUSR2, SA_NODEFER, 0);
    on(SIGHUP, SA_NODEFER, SIGHUP);
    on(SIGURG, SA_RESETHAND, 0);
    kill(getpid(), SIGUSR1);
    mask("after");
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGURG);
    struct sigaction now;
    sigaction(SIGURG, NULL, &now);
    is("back to its default", now.sa_handler == SIG_DFL, 1);
    set = 1ul << (SIGHUP - 1) | 1ul << (SIGUSR1 - 1);
    gives(0, rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
    kill(getpid(), SIGUSR1);
    gives(0, rt_sigpending, &old, 8);
    say("waits: %lx", old);
    in_child("child", child);
    in_child("program", becomes);
    set = 1ul << (SIGUSR1 - 1);
    gives(0, rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
    gives(0, rt_sigpending, &old, 8);
    say("waits: %lx", old);
    fails(EINVAL, rt_sigprocmask, 3, &set, NULL, 8);
    fails(EINVAL, rt_sigprocmask, -1, &set, NULL, 8);
    gives(0, rt_sigprocmask, 99, NULL, &old, 8);
    fails(EINVAL, rt_sigprocmask, SIG_BLOCK, &set, NULL, 4);
    fails(EINVAL, rt_sigprocmask, SIG_BLOCK, &set, NULL, 16);
    fails(EFAULT, rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8);
    fails(EFAULT, rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8);
}
