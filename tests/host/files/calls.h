/*
 * Linux's file system calls as the kernel carries them out, on a host: a task, memory, waiting.
 *
 * Each attached thread is a program's thread of the one task there is, or of a task of its own.
 */
#ifndef K42_TESTS_FILES_CALLS_H
#define K42_TESTS_FILES_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* Starts the runtime, makes a ramfs the root, with /dev, and gives the thread its task. */
void calls_open(void);
/* Ends all that; fails when memory or objects are left. */
void calls_close(void);

/* Gives the calling thread, attached under a name, a task with the first one's descriptors, or with
 * a copy of them; and ends it. */
struct task;
struct task *calls_begin_thread(const char *name, int copies);
void calls_end_thread(struct task *task);

/* The class of the file behind a descriptor of the calling thread's. */
const char *calls_class_of(int fd, char name[48]);
/* And of the node or pipe behind that. */
const char *calls_class_of_node(int fd, char name[48]);
const char *calls_class_of_pipe(int fd, char name[48]);

/* Whose rights the first task's calls have, as seteuid() does: root's, or somebody's. */
void calls_become(unsigned uid);

/* The first task's RLIMIT_FSIZE. */
void calls_limit_files(uint64_t bytes);

/* Mounts a file system filled from an archive; returns how many entries it has. */
size_t calls_mount_archive(const char *path, const void *archive, size_t size);

/* Carries a call out, by Linux's number: a result or a negative errno. */
#define CALL(number, ...) call6(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define call6(number, a, b, c, d, e, f, ...)                                                       \
    call_linux(number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e),  \
               (uint64_t)(f))
long call_linux(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                uint64_t f);

/* Returns when all that was deferred, and what that deferred, is done. */
void calls_settle(void);

/* Ends the test with a message unless something holds. */
void calls_expect(int holds, const char *what);

/* Signals that calls raised by themselves, of all threads. */
extern unsigned calls_signals;
/* Set: a call of this thread that would wait ends as if a signal had come. */
extern __thread int calls_interrupted;

#endif
