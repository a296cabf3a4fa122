/*
 * Hostile callers: each system call with one bad argument at a time.
 *
 *   sweep [NAME...]     those calls, or all that leave the machine as it was
 *   sweep --all         all: in a guest only
 *
 * The table of calls and what their arguments are comes from the kernel's own sources
 * (host/launcher/sweep.py). Each attempt is made by a child of its own, since it may close, unmap
 * or forbid itself what there is; a call that waits is interrupted. A line tells of an argument:
 * with which value the call answered what. What is no error is "ok", whatever the number.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, GOOD_BYTES = 16 * PAGE, GOOD_SIZE = 64, INTERRUPTED_US = 150000 };

struct value {
    const char *name;
    long value;
};

/* What the child answers; -1: not yet. */
static struct answer {
    long result;
    bool made;
} * answer;

static char *good, *edge, *read_only;
static long base_file;
static struct value descriptors[16], pointers[16];
static const struct value sizes[] = {
    {"0", 0},
    {"1", 1},
    {"-1", -1},
    {"most", LONG_MAX},
    {"least", LONG_MIN},
    {"2g-1", INT_MAX},
    {"2g", 1l << 31},
    {"4g-1", UINT_MAX},
    {NULL, 0},
};

/* ---- arguments ---- */

static char *map(size_t bytes) {
    /* With nothing behind it. */
    char *place =
        mmap(NULL, bytes + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(place + bytes, PAGE, PROT_NONE);
    return place;
}

static void prepare_pointers(void) {
    good = map(GOOD_BYTES);
    edge = map(PAGE) + PAGE;
    read_only = map(PAGE);
    mprotect(read_only, PAGE, PROT_READ);
    char *gone = map(PAGE);
    munmap(gone, 2 * PAGE);
    const struct value all[] = {
        {"null", 0},
        {"low", 1},
        {"unmapped", (long)gone},
        {"forbidden", (long)edge},
        {"across", (long)edge - 3},
        {"read-only", (long)read_only},
        {"user's-end", 0x7fffffffefffl},
        {"non-canonical", 0x800000000000l},
        {"kernel", (long)0xffffffff80000000ul},
        {"last", -8},
        {NULL, 0},
    };
    memcpy(pointers, all, sizeof all);
}

static void prepare_descriptors(void) {
    int ends[2], sockets[2];
    base_file = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
        exit(99);
    mkdir("d", 0755);
    const struct value all[] = {
        {"-1", -1},
        {"none", 99},
        {"most", INT_MAX},
        {"here", AT_FDCWD},
        {"pipe", ends[0]},
        {"pipe's-end", ends[1]},
        {"socket", sockets[0]},
        {"folder", open("d", O_RDONLY | O_DIRECTORY)},
        {"to-read", open("f", O_RDONLY)},
        {"to-write", open("f", O_WRONLY)},
        {"path", open("f", O_PATH)},
        {"epoll", epoll_create1(0)},
        {"event", eventfd(0, 0)},
        {NULL, 0},
    };
    memcpy(descriptors, all, sizeof all);
}

static long base_of(const struct swept *call, int at) {
    if (call->bases[at] != NO_BASE)
        return call->bases[at];
    switch (call->kinds[at]) {
    case 'f':
        return base_file;
    case 't':
        return (long)good + GOOD_BYTES - PAGE; /* "f" */
    case 'p':
        return (long)good + at * 2 * PAGE;
    case 's':
        return GOOD_SIZE;
    default:
        return 0;
    }
}

static const struct value *values_of(char kind) {
    switch (kind) {
    case 'f':
        return descriptors;
    case 't':
    case 'p':
        return pointers;
    case 's':
        return sizes;
    default:
        return NULL;
    }
}

/* ---- attempts ---- */

static long call_kernel(long number, const long a[6]) {
    register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void interrupted(int number) {
    (void)number;
}

/* Of two that come back from fork() and its like only the first one answers. */
static void attempt(const struct swept *call, const long arguments[6]) {
    struct itimerval often = {{0, INTERRUPTED_US}, {0, INTERRUPTED_US}};
    struct sigaction action = {.sa_handler = interrupted};
    pid_t self = getpid();
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    long result = call_kernel(call->number, arguments);
    if (syscall(SYS_getpid) == self) {
        answer->result = result;
        answer->made = true;
    }
    syscall(SYS_exit_group, 0);
}

static void say_answer(const char *value, int status) {
    if (answer->made && answer->result < 0 && answer->result > -4096)
        printf(" %s=%s", value, strerrorname_np((int)-answer->result) ?: "unknown");
    else if (answer->made)
        printf(" %s=ok", value);
    else if (WIFSIGNALED(status))
        printf(" %s=SIG%s", value, sigabbrev_np(WTERMSIG(status)));
    else
        printf(" %s=ended", value);
}

/* Children share its position with us, and may have written, or put something else in its place. */
static void restore_file(void) {
    struct stat own, there;
    if (fstat((int)base_file, &own) || lstat("f", &there) || there.st_ino != own.st_ino) {
        unlink("f"), rmdir("f");
        int made = open("f", O_RDWR | O_CREAT, 0644);
        dup2(made, (int)base_file), close(made);
    }
    if (ftruncate((int)base_file, 5) || pwrite((int)base_file, "word\n", 5, 0) != 5 ||
        lseek((int)base_file, 0, SEEK_SET))
        exit(99);
}

static void try(const struct swept *call, int at, const struct value *value) {
    long arguments[6];
    int status = 0;
    for (int i = 0; i < 6; i++)
        arguments[i] = base_of(call, i);
    if (value)
        arguments[at] = value->value;
    *answer = (struct answer){-1, false};
    restore_file();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        attempt(call, arguments);
    while (waitpid(child, &status, __WALL) != child)
        continue;
    say_answer(value ? value->name : "base", status);
}

static void sweep(const struct swept *call) {
    printf("== %s\nas it is:", call->name);
    try(call, 0, NULL);
    printf("\n");
    for (int at = 0; call->kinds[at]; at++) {
        const struct value *value = values_of(call->kinds[at]);
        if (!value)
            continue;
        printf("%d:", at);
        for (; value->name; value++)
            try(call, at, value);
        printf("\n");
    }
}

static bool is_wanted(const struct swept *call, int count, char **names) {
    if (!count)
        return !call->changes_machine;
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], call->name) || !strcmp(names[i], "--all"))
            return true;
    return false;
}

int main(int count, char **words) {
    answer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGPIPE, SIG_IGN);
    prepare_pointers();
    prepare_descriptors();
    good[GOOD_BYTES - PAGE] = 'f';
    for (const struct swept *call = swept_calls; call->name; call++)
        if (is_wanted(call, count - 1, words + 1))
            sweep(call);
    return 0;
}
