/* Calls that do next to nothing: what entering and leaving the kernel costs. */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t calls_instruction(uint64_t n) {
    uint64_t left = (n + 1) / 2, began = now_ns();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(left) : : "cc");
    return now_ns() - began;
}

uint64_t calls_getpid(uint64_t n) {
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        syscall(SYS_getpid);
    return now_ns() - began;
}

uint64_t calls_read1(uint64_t n) {
    char byte;
    int fd = open("/dev/zero", O_RDONLY);
    must(fd >= 0, "/dev/zero");
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        must(read(fd, &byte, 1) == 1, "read");
    uint64_t spent = now_ns() - began;
    close(fd);
    return spent;
}

uint64_t calls_write1(uint64_t n) {
    int fd = open("/dev/null", O_WRONLY);
    must(fd >= 0, "/dev/null");
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        must(write(fd, "", 1) == 1, "write");
    uint64_t spent = now_ns() - began;
    close(fd);
    return spent;
}

static volatile uint64_t delivered;

static void count_it(int number) {
    (void)number;
    delivered++;
}

/* A signal to oneself, handled: the call, delivery, and the return from the handler. */
uint64_t calls_signal(uint64_t n) {
    struct sigaction action = {.sa_handler = count_it}, before;
    must(!sigaction(SIGUSR1, &action, &before), "sigaction");
    delivered = 0;
    pid_t self = getpid();
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        kill(self, SIGUSR1);
    uint64_t spent = now_ns() - began;
    must(delivered == n, "a signal was not delivered");
    sigaction(SIGUSR1, &before, 0);
    return spent;
}
