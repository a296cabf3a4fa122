/* What a program's own mistakes send it: signal, code, address. */
#include "abi.h"

#include <setjmp.h>

static sigjmp_buf back;
static char *expected;

static void handler(int signal, siginfo_t *info, void *) {
    say("signal %d, code %d, at the place: %d", signal, info->si_code,
        expected ? (char *)info->si_addr == expected : 1);
    siglongjmp(back, 1);
}

#define TRY(address, ...)                                                                          \
    expected = (address);                                                                          \
    if (!sigsetjmp(back, 1)) {                                                                     \
        __VA_ARGS__;                                                                               \
        say("nothing happened");                                                                   \
    }

static void aborts(void) {
    abort();
}

static void divides(void) {
    volatile int zero = 0;
    zero = 1 / zero;
}

static void touches(void) {
    *(volatile char *)BAD = 1;
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    in_child("abort", aborts);
    in_child("divide", divides);
    in_child("touch", touches);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &action, NULL);
    char *constant = read_only(), *end = page_end();
    TRY(BAD, *(volatile char *)BAD = 1);
    TRY(end, *(volatile char *)end = 1);
    TRY(constant, *(volatile char *)constant = 1);
    TRY(NULL, *(volatile char *)(1ul << 63) = 1);
    TRY(NULL, asm volatile("ud2"));
    TRY(NULL, volatile int zero = 0; zero = 1 / zero);
    TRY(NULL, asm volatile("int3"));
    TRY(NULL, asm volatile("hlt"));
    TRY(NULL, asm volatile("int $0x42"));
    put("file", "x");
    int fd = open("file", O_RDWR);
    char *mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    TRY(mapped + 4096, (void)*(volatile char *)(mapped + 4096));
    char *closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY(closed, (void)*(volatile char *)closed);
}
