/* One thread waits for another. */
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void pass(int from, int to) {
    char byte = 0;
    must(read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1, "a pipe");
}

/* There and back through two pipes: two switches, two reads, two writes. */
uint64_t switches_pipe_latency(uint64_t n) {
    int there[2], back[2], status;
    must(!pipe(there) && !pipe(back), "pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (!pid) {
        for (uint64_t i = 0; i < n + 1; i++)
            pass(there[0], back[1]);
        _exit(0);
    }
    must(write(there[1], "", 1) == 1, "a pipe"); /* once, before it counts */
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        pass(back[0], there[1]);
    uint64_t spent = now_ns() - began;
    must(waitpid(pid, &status, 0) == pid && status == 0, "the other process failed");
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
    return spent;
}

/* What is left of that when reading and writing are taken away, for one of the two switches. */
uint64_t switches_context(uint64_t n) {
    uint64_t both = switches_pipe_latency(n);
    int ends[2];
    must(!pipe(ends) && write(ends[1], "", 1) == 1, "pipe");
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < 2 * n; i++)
        pass(ends[0], ends[1]);
    uint64_t without = now_ns() - began;
    close(ends[0]);
    close(ends[1]);
    return both > without ? (both - without) / 2 : 1;
}

/* One process writes, another reads, so many bytes at once. */
uint64_t switches_pipe_bandwidth(uint64_t n) {
    static char bytes[CHUNK];
    int ends[2], status;
    must(!pipe(ends), "pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (!pid) {
        close(ends[0]);
        for (uint64_t i = 0; i < n; i++)
            must(write(ends[1], bytes, CHUNK) == CHUNK, "write");
        _exit(0);
    }
    close(ends[1]);
    uint64_t began = now_ns(), total = 0;
    for (ssize_t got; (got = read(ends[0], bytes, CHUNK)) > 0;)
        total += (uint64_t)got;
    uint64_t spent = now_ns() - began;
    close(ends[0]);
    must(waitpid(pid, &status, 0) == pid && status == 0, "the writer failed");
    must(total == n * CHUNK, "bytes were lost");
    return spent;
}

static uint32_t turn;

static void futex(int what, uint32_t value) {
    syscall(SYS_futex, &turn, what | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void take_turns(uint32_t mine, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine)
            futex(FUTEX_WAIT, !mine);
        __atomic_store_n(&turn, !mine, __ATOMIC_RELEASE);
        futex(FUTEX_WAKE, 1);
    }
}

static void *second(void *n) {
    take_turns(1, *(uint64_t *)n);
    return NULL;
}

/* Two threads hand a turn to each other; one operation is one hand-over. */
uint64_t switches_futex(uint64_t n) {
    pthread_t thread;
    uint64_t half = (n + 1) / 2;
    turn = 0;
    uint64_t began = now_ns();
    must(!pthread_create(&thread, NULL, second, &half), "pthread_create");
    take_turns(0, half);
    must(!pthread_join(thread, NULL), "pthread_join");
    return now_ns() - began;
}
