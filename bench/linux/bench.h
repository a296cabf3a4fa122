/*
 * Micro-benchmarks of a kernel's system calls: what the rows share.
 *
 * A row does its operation n times and returns how long that took in nanoseconds of the guest's
 * clock, without setting up and clearing away. It ends the program with a message when what it
 * measures did not happen. Everything a row needs it makes itself, under FOLDER.
 */
#ifndef BENCH_LINUX_BENCH_H
#define BENCH_LINUX_BENCH_H

#include <stdint.h>

#define FOLDER "/tmp/bench"
#define CHUNK  (64 * 1024) /* bytes read or written at once */

typedef uint64_t row_function(uint64_t n);

row_function calls_getpid, calls_read1, calls_write1, calls_signal;
row_function files_stat, files_open_close, files_create_delete, files_reread, files_parallel_read;
row_function memory_mmap, memory_fault_anonymous, memory_fault_file;
row_function processes_fork_exit, processes_fork_exec, processes_fork_64m, processes_thread;
row_function switches_pipe_latency, switches_pipe_bandwidth, switches_context, switches_futex;
/* A loop of two instructions: tells how long an instruction takes on the guest's clock. */
row_function calls_instruction;

uint64_t now_ns(void);
/* Ends the program unless the condition holds; errno is told. */
void must(int condition, const char *what);
/* A file of so many bytes, all read once; its descriptor. */
int file_of(const char *path, uint64_t size);
unsigned cpus(void);

#endif
