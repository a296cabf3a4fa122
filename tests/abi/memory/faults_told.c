/* What a handler is told of memory that may not be used: address and reason. */
#include "abi.h"

#include <setjmp.h>

static char *at;
static sigjmp_buf back;
static volatile char byte;

static void handler(int signal, siginfo_t *info, void *context) {
    say("  signal %d code %d offset %ld", signal, info->si_code, (char *)info->si_addr - at);
    siglongjmp(back, 1);
}

static void touch(const char *what, volatile char *address, int write) {
    say("%s", what);
    if (sigsetjmp(back, 1))
        return;
    if (write)
        *address = 1;
    else
        byte = *address;
    say("  fine");
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    at = pages(2);
    mprotect(at, 4096, PROT_NONE);
    touch("forbidden", at + 5, 0);
    mprotect(at, 4096, PROT_READ);
    touch("to read", at + 6, 1);
    munmap(at + 4096, 4096);
    touch("none", at + 4096 + 7, 0);
    put("file", "text");
    char *of_file = mmap(NULL, 8192, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
    at = of_file;
    touch("in the file", at + 100, 0);
    touch("behind it", at + 4096, 0);
}
