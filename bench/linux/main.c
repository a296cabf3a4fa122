/*
 * bench ROW [MILLISECONDS]: runs a row for at least that long on the guest's clock, three times,
 * and prints the best: nanoseconds of one operation, and how many there were. bench --list names
 * the rows.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct row {
    const char *name;
    row_function *run;
    uint64_t least; /* operations, however long they take */
} rows[] = {
    {"instruction", calls_instruction, 100000},
    {"getpid", calls_getpid, 1000},
    {"read1", calls_read1, 1000},
    {"write1", calls_write1, 1000},
    {"stat", files_stat, 100},
    {"open-close", files_open_close, 100},
    {"pipe-latency", switches_pipe_latency, 100},
    {"pipe-bandwidth", switches_pipe_bandwidth, 64},
    {"context-switch", switches_context, 100},
    {"fork-exit", processes_fork_exit, 10},
    {"fork-exec", processes_fork_exec, 5},
    {"fork-64m", processes_fork_64m, 3},
    {"mmap", memory_mmap, 100},
    {"fault-anon", memory_fault_anonymous, 1024},
    {"fault-file", memory_fault_file, 1024},
    {"signal", calls_signal, 100},
    {"futex-wake", switches_futex, 100},
    {"thread", processes_thread, 10},
    {"file-create-delete", files_create_delete, 50},
    {"reread", files_reread, 32},
    {"parallel-read", files_parallel_read, 32},
};

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void must(int condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

unsigned cpus(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

int file_of(const char *path, uint64_t size) {
    static char bytes[CHUNK];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0, path);
    for (uint64_t at = 0; at < size; at += CHUNK)
        must(write(fd, bytes, CHUNK) == CHUNK, "write");
    must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    while (read(fd, bytes, CHUNK) > 0)
        continue;
    return fd;
}

static void measure(const struct row *row, uint64_t least_ns) {
    uint64_t n = row->least, spent;
    while ((spent = row->run(n)) < least_ns) {
        uint64_t more = spent ? n * least_ns * 5 / 4 / spent : n * 16;
        n = more > n * 16 ? n * 16 : more > n ? more : n + 1;
    }
    double best = (double)spent / (double)n;
    for (int again = 0; again < 2; again++) {
        double one = (double)row->run(n) / (double)n;
        best = one < best ? one : best;
    }
    printf("%s %.3f %lu\n", row->name, best, (unsigned long)n);
}

int main(int count, char **arguments) {
    if (count == 2 && !strcmp(arguments[1], "--nothing"))
        return 0;
    if (count == 2 && !strcmp(arguments[1], "--list")) {
        for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
            puts(rows[i].name);
        return 0;
    }
    mkdir(FOLDER, 0755);
    for (unsigned i = 0; count >= 2 && i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, arguments[1])) {
            measure(&rows[i], (count > 2 ? strtoul(arguments[2], NULL, 10) : 20) * 1000000ul);
            return 0;
        }
    fprintf(stderr, "usage: bench ROW [MILLISECONDS]; bench --list names the rows\n");
    return 2;
}
