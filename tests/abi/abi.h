/*
 * What the cases share. A case is one file: it makes calls, says what each gave, and what it sees;
 * the same program runs natively and in the guest, and the lines and the exit status must agree.
 *
 * Calls are made raw, by number. What a case expects of one stands at the call, and natively it
 * must come true: so what works(), gives() and fails() name is proven, and docs/linux.md counts it.
 * A case runs as root in a fresh folder of its own, in a session of its own, with standard input
 * from /dev/null; be() makes it somebody else.
 */
#ifndef ABI_H
#define ABI_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD      ((void *)8) /* an address at which there is never anything */
#define SOMEBODY 1234        /* an ordinary user */

/* One line, written at once, without what differs from run to run. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says what a call gave; `wanted` is a value, 0 and an errno, or neither (`any`). */
long abi_told(const char *name, long result, int wanted_error, long wanted, int any);
void abi_came_back(const char *name);
/* A value and what it should be; both are said. */
void is(const char *what, long value, long wanted);
/* Ends the case with status 1. */
void give_up(const char *why);
/* From now on the caller is an ordinary user, or has only such a one's rights to files. */
void be(int user);
void with_rights_of(int user);
/* Makes a file with this in it, or reads one of at most 4095 bytes. */
void put(const char *path, const char *text);
const char *get(const char *path);
/* Runs fn in a child and says how it ended; start() only begins, ended() waits and says. */
void in_child(const char *what, void (*fn)(void));
int start(void (*fn)(void));
void ended(const char *what, int child);
/* Sleeps, or waits until another process sleeps in the kernel: what it does waits. */
void doze(long milliseconds);
void until_asleep(int pid);
void until_thread_asleep(int tid);
/* A handler without SA_RESTART that counts in `caught`; a signal to oneself in so many ms. */
extern volatile sig_atomic_t caught;
void handle(int signal, int flags);
void alarm_in(long milliseconds);
/* A page (or more) that can be read and written, one behind which there is nothing, one read-only.
 */
char *pages(int count);
char *page_end(void);
char *read_only(void);

struct bad_path {
    int error;
    const char *path;
};
const struct bad_path *bad_paths_made(void);

/* All arguments as whole registers, whatever their types. */
struct abi_words {
    long a, b, c, d, e, f;
};
#define abi_call(call, ...) abi_made(SYS_##call, (struct abi_words){__VA_ARGS__})
static inline long abi_made(long number, struct abi_words of) {
    return syscall(number, of.a, of.b, of.c, of.d, of.e, of.f);
}

/* The call works, and what it gives is returned; or gives just this; or fails just so. */
#define works(call, ...)        abi_told(#call, abi_call(call, __VA_ARGS__), 0, 0, 1)
#define gives(value, call, ...) abi_told(#call, abi_call(call, __VA_ARGS__), 0, (long)(value), 0)
#define fails(error, call, ...) abi_told(#call, abi_call(call, __VA_ARGS__), error, -1, 0)
/* The case has seen it work, though not by its result; and if it works, it does not return. */
#define shown(call)     say(#call ": works")
#define ends(call, ...) (abi_call(call, __VA_ARGS__), abi_came_back(#call))
/*
 * A kernel may have been built without a call: without modules, without ports. Then what a case
 * wants of it is taken for what it gives, so that K42, which has it, is compared with that;
 * Debian's Linux in the emulator has it, too. Returns whether it is lacking.
 */
#define may_lack(call) abi_may_lack(#call, SYS_##call)
int abi_may_lack(const char *name, long number);
/* The call, with `path` among its arguments, fails in each of the ways in which all of paths do. */
#define fails_on_bad_paths(call, ...)                                                              \
    for (const struct bad_path *bad_ = bad_paths_made(); bad_->error; bad_++) {                    \
        const char *path = bad_->path;                                                             \
        if (bad_->error == EACCES)                                                                 \
            with_rights_of(SOMEBODY);                                                              \
        abi_told(#call, abi_call(call, __VA_ARGS__), bad_->error, -1, 0);                          \
        with_rights_of(0);                                                                         \
    }

#endif
