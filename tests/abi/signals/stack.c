/* sigaltstack, and handlers on it; rt_sigreturn brings everything back. */
#include "abi.h"

static char *stack_at;
static int on_it, in_use;

static void handler(int, siginfo_t *, void *) {
    stack_t now;
    char here;
    on_it = &here >= stack_at && &here < stack_at + 65536;
    abi_call(sigaltstack, NULL, &now);
    in_use = now.ss_flags;
    stack_t other = {.ss_sp = stack_at, .ss_size = 32768};
    fails(EPERM, sigaltstack, &other, NULL);
}

static uint64_t changed(void) {
    register uint64_t value asm("r12") = 0x1234567890;
    asm volatile("syscall" ::"a"(SYS_tgkill), "D"(getpid()), "S"(gettid()), "d"(SIGUSR1)
                 : "rcx", "r11", "memory");
    return value;
}

int main(void) {
    stack_at = pages(16);
    stack_t new = {.ss_sp = stack_at, .ss_size = 65536}, old;
    gives(0, sigaltstack, NULL, &old);
    is("disabled", old.ss_flags, SS_DISABLE);
    gives(0, sigaltstack, &new, &old);
    gives(0, sigaltstack, NULL, &old);
    is("size", old.ss_size, 65536);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    is("registers", changed() == 0x1234567890, 1);
    shown(rt_sigreturn);
    say("on it %d, %d", on_it, in_use);
    new.ss_size = 100;
    fails(ENOMEM, sigaltstack, &new, NULL);
    new.ss_flags = 64;
    fails(EINVAL, sigaltstack, &new, NULL);
    fails(EFAULT, sigaltstack, BAD, NULL);
    fails(EFAULT, sigaltstack, NULL, BAD);
}
