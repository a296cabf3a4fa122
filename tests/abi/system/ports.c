/* ioperm, iopl: which ports a program may use, who inherits that, and who may not ask for it. */
#include "abi.h"

#include <sys/io.h>

#define PORT 0x80 /* which nobody listens to */

static int lacks;

static void touches(int port) {
    outb(0, port);
    _exit(0);
}

/* A child has what its parent has. */
static int may_use(int port) {
    int status, child = fork();
    if (!child)
        touches(port);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? 1 : WTERMSIG(status) == SIGSEGV ? 0 : -1;
}

static void is_allowed(const char *what, int port, int wanted) {
    is(what, lacks ? wanted : may_use(port), wanted);
}

static volatile int handled;

static void skip(int signal, siginfo_t *info, void *context) {
    ucontext_t *at = context;
    (void)signal, (void)info;
    handled++;
    at->uc_mcontext.gregs[REG_RIP] += 2; /* out %al, $0x80 */
}

/* The thread that asks, and from which instruction on. */
static void at_once(void) {
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("outb %%al, $0x80" ::"a"(0));
    gives(0, ioperm, PORT, 1, 1);
    if (!lacks)
        __asm__ volatile("outb %%al, $0x80" ::"a"(0));
    gives(0, ioperm, PORT, 1, 0);
    __asm__ volatile("outb %%al, $0x80" ::"a"(0));
    is("stopped", handled, 2);
}

static void levels(void) {
    gives(0, iopl, 0);
    gives(0, iopl, 2);
    is_allowed("at level 2", PORT, 0);
    gives(0, iopl, 3);
    is_allowed("at level 3", PORT, 1);
    is_allowed("another", 0xffff, 1);
    if (!lacks)
        __asm__ volatile("cli; sti");
    gives(0, iopl, 0);
    is_allowed("at level 0", PORT, 0);
}

/* Rights that are there stay, and can be given up. */
static void somebody(void) {
    gives(0, ioperm, PORT, 2, 1);
    gives(0, iopl, 1);
    be(SOMEBODY);
    is_allowed("kept", PORT, 1);
    fails(EPERM, ioperm, PORT + 2, 1, 1);
    fails(EPERM, iopl, 2);
    gives(0, iopl, 0);
    fails(EPERM, iopl, 1);
    gives(0, ioperm, PORT, 1, 0);
    is_allowed("given up", PORT, 0);
    is_allowed("its neighbour", PORT + 1, 1);
}

int main(void) {
    lacks = may_lack(ioperm);
    may_lack(iopl);
    fails(EINVAL, ioperm, PORT, 0, 1);
    fails(EINVAL, ioperm, 0xffff, 2, 1);
    fails(EINVAL, ioperm, -1, 2, 1);
    fails(EINVAL, iopl, 4);
    is_allowed("at first", PORT, 0);
    gives(0, ioperm, PORT, 1, 0);
    gives(0, ioperm, 0xffff, 1, 1);
    is_allowed("not that", PORT, 0);
    is_allowed("the last", 0xffff, 1);
    gives(0, ioperm, 0, 65536, 0);
    in_child("at once", at_once);
    in_child("levels", levels);
    in_child("somebody", somebody);
}
