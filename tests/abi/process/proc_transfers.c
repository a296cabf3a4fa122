/*
 * /proc/PID/io: what a process and each of its threads have read and written, counted exactly from
 * a child's beginning; task/TID/children; who may look.
 */
#include "abi.h"

#include <pthread.h>
#include <sys/sendfile.h>

static int file, other, ready[2];
static char bytes[8192];

static long field(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at ? strtol(at + strlen(name) + 1, NULL, 10) : -1;
}

static const char *io_of(int pid, int tid) {
    static char path[64];
    snprintf(path, sizeof path, tid ? "/proc/%d/task/%d/io" : "/proc/%d/io", pid, tid);
    return get(path);
}

static void tell(const char *what, const char *text) {
    say("%s: rchar %ld wchar %ld syscr %ld syscw %ld", what, field(text, "rchar:"),
        field(text, "wchar:"), field(text, "syscr:"), field(text, "syscw:"));
    say("cancelled %ld", field(text, "cancelled_write_bytes:"));
}

/* Nothing of this says anything: that would count. */
static void transfers(void) {
    struct iovec two[] = {{bytes, 100}, {bytes, 200}};
    int pipes[2];
    syscall(SYS_read, file, bytes, 1000);
    syscall(SYS_pread64, file, bytes, 500, 0);
    syscall(SYS_readv, file, two, 2);
    syscall(SYS_write, other, bytes, 70);
    syscall(SYS_pwrite64, other, bytes, 30, 0);
    syscall(SYS_writev, other, two, 2);
    syscall(SYS_read, file, BAD, 10);    /* counts as a call */
    syscall(SYS_read, 99, bytes, 10);    /* does not */
    syscall(SYS_write, file, bytes, 10); /* nor does this: it is for reading */
    syscall(SYS_lseek, file, 0, SEEK_SET);
    syscall(SYS_sendfile, other, file, NULL, 4000);
    loff_t from = 0, to = 0;
    syscall(SYS_copy_file_range, file, &from, other, &to, 50, 0);
    syscall(SYS_pipe2, pipes, 0);
    syscall(SYS_splice, file, &from, pipes[1], NULL, 64, 0); /* not counted */
    syscall(SYS_read, file, bytes, 0);
}

static void reads_and_waits(void) {
    transfers();
    pause();
}

static void *in_thread(void *unused) {
    (void)unused;
    syscall(SYS_pread64, file, bytes, 111, 0);
    pause();
    return NULL;
}

static void with_a_thread(void) {
    pthread_t thread;
    syscall(SYS_pread64, file, bytes, 7, 0);
    pthread_create(&thread, NULL, in_thread, NULL);
    pause();
}

static void *ends_soon(void *unused) {
    (void)unused;
    syscall(SYS_pread64, file, bytes, 222, 0);
    return NULL;
}

static void child_that_reads(void) {
    syscall(SYS_pread64, file, bytes, 444, 0);
}

/* A thread's that has ended, and a child's that was waited for, are the process's. */
static void after_others(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, ends_soon, NULL);
    pthread_join(thread, NULL);
    int child = fork();
    if (!child) {
        child_that_reads();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    pause();
}

static void end(int child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static int second_thread(int pid) {
    for (int tid = pid + 1;; tid++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task/%d", pid, tid);
        if (!access(path, F_OK))
            return tid;
    }
}

static void looks_at_parent(void) {
    char path[64];
    int parent = getppid();
    snprintf(path, sizeof path, "/proc/%d/io", parent);
    be(SOMEBODY);
    say("another's: %ld", (long)(open(path, O_RDONLY) < 0 ? -errno : 0));
}

/* ---- children ---- */

static void *makes_one(void *made) {
    int child = fork();
    if (!child)
        pause();
    *(int *)made = child;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", syscall(SYS_gettid));
    is("the thread's", atoi(get(path)) == child, 1);
    return NULL;
}

static void children(void) {
    char path[64], wanted[64];
    pthread_t thread;
    int third;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    is("none", strlen(get(path)), 0);
    int first = fork();
    if (!first)
        pause();
    int second = fork();
    if (!second)
        pause();
    snprintf(wanted, sizeof wanted, "%d %d ", first, second);
    is("both", strcmp(get(path), wanted), 0);
    end(first);
    snprintf(wanted, sizeof wanted, "%d ", second);
    is("one", strcmp(get(path), wanted), 0);
    kill(second, SIGKILL);
    siginfo_t info;
    waitid(P_PID, second, &info, WEXITED | WNOWAIT);
    is("that has ended", strcmp(get(path), wanted), 0);
    waitpid(second, NULL, 0);
    pthread_create(&thread, NULL, makes_one, &third);
    pthread_join(thread, NULL);
    doze(20);
    is("the other thread's", atoi(get(path)) == third, 1);
    end(third);
}

int main(void) {
    file = open("from", O_RDWR | O_CREAT, 0600);
    is("size", write(file, bytes, sizeof bytes), sizeof bytes);
    close(file);
    file = open("from", O_RDONLY);
    other = open("to", O_RDWR | O_CREAT, 0600);

    int child = start(reads_and_waits);
    until_asleep(child);
    tell("all kinds", io_of(child, 0));
    tell("of the thread", io_of(child, child));
    end(child);

    child = start(with_a_thread);
    until_asleep(child);
    int tid = second_thread(child);
    doze(100);
    tell("both threads", io_of(child, 0));
    tell("the first", io_of(child, child));
    tell("the second", io_of(child, tid));
    end(child);

    child = start(after_others);
    until_asleep(child);
    doze(100);
    tell("with those that have ended", io_of(child, 0));
    tell("without", io_of(child, child));
    end(child);

    in_child("who may look", looks_at_parent);
    children();
}
