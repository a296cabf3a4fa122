/* Making and ending processes and threads. */
#include "bench.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for(pid_t pid) {
    int status;
    must(waitpid(pid, &status, 0) == pid && status == 0, "a child failed");
}

uint64_t processes_fork_exit(uint64_t n) {
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (!pid)
            _exit(0);
        wait_for(pid);
    }
    return now_ns() - began;
}

/* The program that starts is this one, which is static and does nothing. */
uint64_t processes_fork_exec(uint64_t n) {
    char *arguments[] = {"/usr/bin/bench", "--nothing", NULL}, *environment[] = {NULL};
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (!pid) {
            execve(arguments[0], arguments, environment);
            _exit(1);
        }
        wait_for(pid);
    }
    return now_ns() - began;
}

uint64_t processes_fork_64m(uint64_t n) {
    const uint64_t size = 64u << 20;
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(area != MAP_FAILED, "mmap");
    (void)madvise(area, size, MADV_NOHUGEPAGE);
    memset(area, 1, size);
    uint64_t spent = processes_fork_exit(n);
    munmap(area, size);
    return spent;
}

static void *nothing(void *argument) {
    return argument;
}

uint64_t processes_thread(uint64_t n) {
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        pthread_t thread;
        must(!pthread_create(&thread, NULL, nothing, NULL), "pthread_create");
        must(!pthread_join(thread, NULL), "pthread_join");
    }
    return now_ns() - began;
}
