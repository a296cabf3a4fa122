/*
 * Core dumps: what a program was when a signal ended it, in a file that debuggers open.
 *
 * The thread that the signal came to ends the others, each of which notes its registers on its way
 * out, and writes the file when it is alone (core.c): an ELF file of notes (notes.c) and of what
 * was mapped. Where it goes to says /proc/sys/kernel/core_pattern (pattern.c), how long it may get
 * RLIMIT_CORE; nothing is written of a process that does not let itself be looked at.
 *
 * Locking: a core's list of threads is pushed to by compare-and-swap; the rest is the dumping
 * thread's. A core is reached by the memory that its threads share, and freed a grace period after
 * that does not lead to it any more.
 */
#ifndef KERNEL_CORE_H
#define KERNEL_CORE_H

#include "../ptrace/tracee.h"

struct proc_text;
struct task;

/* What of a program's memory is written, as /proc/PID/coredump_filter has it: bits. Those of large
 * pages that are reserved, and of memory on disks that is used in place, there is nothing for. */
enum core_kind {
    CORE_PRIVATE = 1, /* without a file */
    CORE_SHARED = 2,
    CORE_FILE_PRIVATE = 4,
    CORE_FILE_SHARED = 8,
    CORE_FILE_BEGIN = 16, /* of other files the first page, if it tells of a program */
    CORE_KINDS_ALL = 0x1ff,
    CORE_KINDS_AT_FIRST = CORE_PRIVATE | CORE_SHARED | CORE_FILE_BEGIN | 0x20,
};

struct core_thread {
    struct core_thread *next;
    int32_t tid;
    uint64_t pending, blocked;
    struct tracee_registers registers;
    void *vectors;
};

struct core {
    int32_t pid;
    struct signal_info info;
    struct core_thread *threads; /* the one that dumps is the first in the file */
    struct k42_defer defer;
};

#define SIGNALS_CORE                                                                               \
    (signal_bit(SIGQUIT) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGABRT) |        \
     signal_bit(SIGFPE) | signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGSYS) |          \
     signal_bit(SIGXCPU) | signal_bit(SIGXFSZ))

/* Ends the calling thread's process by a signal, with a core if it is one that leaves one. */
_Noreturn void core_exit(const struct signal_info *info);
/* The calling thread is ended: its registers are noted if its process dumps. */
void core_note(struct task *task);

/* notes.c: all of them, one after the other, as the file has them. */
void core_notes(const struct core *core, const struct task *task, struct proc_text *text);

/* pattern.c: the path, terminated. */
#define CORE_PATH 256
void core_path(const struct task *task, int signal, char path[CORE_PATH]);
void core_pattern_read(struct proc_text *text);
k42_result core_pattern_write(const char *bytes, size_t size);

#endif
