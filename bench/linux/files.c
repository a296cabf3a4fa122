/* Names and cached files. */
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME FOLDER "/file"
#define SIZE (1024 * 1024)

uint64_t files_stat(uint64_t n) {
    struct stat status;
    close(file_of(NAME, 0));
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++)
        must(!stat(NAME, &status), "stat");
    return now_ns() - began;
}

uint64_t files_open_close(uint64_t n) {
    close(file_of(NAME, 0));
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        int fd = open(NAME, O_RDONLY);
        must(fd >= 0, "open");
        close(fd);
    }
    return now_ns() - began;
}

uint64_t files_create_delete(uint64_t n) {
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        int fd = open(FOLDER "/new", O_RDWR | O_CREAT | O_EXCL, 0644);
        must(fd >= 0, "create");
        close(fd);
        must(!unlink(FOLDER "/new"), "unlink");
    }
    return now_ns() - began;
}

static void read_chunks(int fd, uint64_t n) {
    static char bytes[CHUNK];
    for (uint64_t i = 0; i < n; i++)
        must(pread(fd, bytes, CHUNK, (off_t)(i * CHUNK % SIZE)) == CHUNK, "pread");
}

uint64_t files_reread(uint64_t n) {
    int fd = file_of(NAME, SIZE);
    uint64_t began = now_ns();
    read_chunks(fd, n);
    uint64_t spent = now_ns() - began;
    close(fd);
    return spent;
}

/* As many processes as processors read the same cached file; the time is that of all together. */
uint64_t files_parallel_read(uint64_t n) {
    unsigned readers = cpus();
    int start[2], fd = file_of(NAME, SIZE);
    char byte;
    must(!pipe(start), "pipe");
    for (unsigned i = 0; i < readers; i++) {
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (pid)
            continue;
        close(start[1]);
        must(read(start[0], &byte, 1) == 0, "read of the start");
        read_chunks(fd, n / readers + 1);
        _exit(0);
    }
    close(start[0]);
    uint64_t began = now_ns();
    close(start[1]);
    for (unsigned i = 0; i < readers; i++) {
        int status;
        must(wait(&status) > 0 && status == 0, "a reader failed");
    }
    uint64_t spent = now_ns() - began;
    close(fd);
    return spent;
}
