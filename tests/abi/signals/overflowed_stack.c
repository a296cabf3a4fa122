/* A program whose stack is full: its handler needs another stack, else it is killed. */
#include "abi.h"

#include <setjmp.h>

static sigjmp_buf back;

static int deeper(int depth) {
    volatile char much[4096];
    much[0] = (char)depth;
    return depth > 100000000 ? 0 : deeper(depth + 1) + much[0];
}

static void handler(int signal, siginfo_t *info, void *) {
    say("signal %d, code %d", signal, info->si_code);
    siglongjmp(back, 1);
}

static void without(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    deeper(0);
}

static void with(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t other = {.ss_sp = pages(16), .ss_size = 65536};
    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (!sigsetjmp(back, 1))
        deeper(0);
    if (!sigsetjmp(back, 1))
        deeper(0);
    say("still here");
}

/* A stack for signals at which there is nothing. */
static void bad(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t other = {.ss_sp = read_only() - 65536, .ss_size = 65536};
    munmap(other.ss_sp, 65536);
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
}

static void ignored(void) {
    signal(SIGSEGV, SIG_IGN);
    *(volatile char *)BAD = 1;
}

static void blocked(void) {
    sigset_t set;
    sigfillset(&set);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigprocmask(SIG_SETMASK, &set, NULL);
    *(volatile char *)BAD = 1;
}

int main(void) {
    struct rlimit limit = {1 << 20, RLIM_INFINITY}, none = {0, 0};
    setrlimit(RLIMIT_STACK, &limit);
    setrlimit(RLIMIT_CORE, &none);
    in_child("no other stack", without);
    in_child("another stack", with);
    in_child("a bad one", bad);
    in_child("ignored", ignored);
    in_child("blocked", blocked);
}
