/* Handlers of faults that mend what was wrong, or change where the program goes on. */
#include "abi.h"

#include <ucontext.h>

static char *place;
static volatile int faults;

static void mends(int, siginfo_t *info, void *) {
    faults++;
    is("where", (char *)info->si_addr == place + 10, 1);
    mprotect(place, 4096, PROT_READ | PROT_WRITE);
}

static void skips(int signal, siginfo_t *, void *context) {
    ucontext_t *at = context;
    faults++;
    say("signal %d", signal);
    at->uc_mcontext.gregs[REG_RIP] += 2; /* ud2, and what is as long as it */
}

static void changes(int, siginfo_t *, void *context) {
    ucontext_t *at = context;
    at->uc_mcontext.gregs[REG_RAX] = 42;
    sigaddset(&at->uc_sigmask, SIGUSR2);
}

static void maps(int, siginfo_t *info, void *) {
    faults++;
    mmap((void *)((long)info->si_addr & ~4095l), 4096, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void on(int signal, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

int main(void) {
    place = read_only();
    on(SIGSEGV, mends);
    place[10] = 'm';
    is("written", place[10], 'm');
    is("faults", faults, 1);
    on(SIGILL, skips);
    asm volatile("ud2");
    is("faults", faults, 2);
    long result = SYS_tgkill;
    on(SIGUSR1, changes);
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"((long)getpid()), "S"((long)gettid()), "d"((long)SIGUSR1)
                 : "rcx", "r11", "memory");
    is("the result of a call", result, 42);
    uint64_t mask;
    abi_call(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    say("mask %lx", mask);
    on(SIGSEGV, maps);
    char *gap = pages(8);
    munmap(gap, 8 * 4096);
    faults = 0;
    for (int i = 0; i < 8; i++)
        gap[i * 4096 + i] = (char)i;
    is("each page once", faults, 8);
    is("the last", gap[7 * 4096 + 7], 7);
    /* A call does not fault; it says EFAULT. */
    munmap(gap, 4096);
    faults = 0;
    fails(EFAULT, getcwd, gap, 4096);
    is("no signal", faults, 0);
}
