/* Mappings that reach beyond the end of their file, which is cut under them: who may see what. */
#include "abi.h"

#include <pthread.h>
#include <setjmp.h>

enum { PAGE = 4096, BOTH = PROT_READ | PROT_WRITE };

static __thread sigjmp_buf back;
static __thread int code;

static void handler(int signal, siginfo_t *info, void *) {
    code = signal == SIGBUS ? info->si_code : -signal;
    siglongjmp(back, 1);
}

/* What a byte is, or -1: SIGBUS; its code is in `code`. */
static int at(volatile char *place) {
    code = 0;
    return sigsetjmp(back, 1) ? -1 : *place;
}

static int set(volatile char *place, char value) {
    code = 0;
    return sigsetjmp(back, 1) ? -1 : (*place = value);
}

static int cut_file(const char *name, int pages) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    ftruncate(fd, pages * PAGE);
    for (int i = 0; i < pages; i++)
        pwrite(fd, "abcdefgh" + i, 1, i * PAGE);
    return fd;
}

static void beyond(void) {
    int fd = cut_file("file", 1), to[2];
    char byte, *shared = mmap(NULL, 4 * PAGE, BOTH, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 4 * PAGE, BOTH, MAP_PRIVATE, fd, 0);
    is("read beyond", at(shared + PAGE), -1);
    is("code", code, BUS_ADRERR);
    is("written beyond", set(shared + 2 * PAGE, 1), -1);
    is("code", code, BUS_ADRERR);
    is("privately", at(own + PAGE), -1);
    is("privately written", set(own + PAGE, 1), -1);
    is("code", code, BUS_ADRERR);
    pipe(to);
    fails(EFAULT, write, to[1], shared + PAGE, 1);
    write(to[1], "x", 1);
    fails(EFAULT, read, to[0], shared + PAGE, 1);
    fails(EFAULT, read, to[0], own + PAGE, 1);
    gives(1, read, to[0], &byte, 1);
    fails(EFAULT, fstat, fd, shared + 2 * PAGE);
    gives(1, write, to[1], shared, 1);
    gives(0, ftruncate, fd, 100);
    is("the rest of the last page", at(shared + 100), 0);
    is("and its end", at(shared + PAGE - 1), 0);
    is("nothing after it", at(shared + PAGE), -1);
}

/* A copy of one's own beyond the new end goes as well, one before it stays. */
static void copies(void) {
    int fd = cut_file("file", 4);
    char *own = mmap(NULL, 4 * PAGE, BOTH, MAP_PRIVATE, fd, 0);
    char *never = mmap(NULL, 4 * PAGE, BOTH, MAP_PRIVATE, fd, 0);
    own[PAGE] = own[2 * PAGE] = own[3 * PAGE] = 'o';
    int child = fork();
    if (!child) {
        doze(300);
        _exit(at(own + 2 * PAGE) == -1 && at(own + PAGE) == 'o' ? 0 : 1);
    }
    gives(0, ftruncate, fd, 2 * PAGE);
    is("before the end", at(own + PAGE), 'o');
    is("beyond", at(own + 2 * PAGE), -1);
    is("and further", at(own + 3 * PAGE), -1);
    ended("who has the copies, too", child);
    gives(0, ftruncate, fd, 4 * PAGE);
    is("grown again", at(own + 2 * PAGE), 0);
    is("not read before", at(never + 3 * PAGE), 0);
    is("kept", at(own + PAGE), 'o');
    gives(0, ftruncate, fd, PAGE + 100);
    is("copied in part beyond", at(own + PAGE), 'o');
    /* A hole is no end: copies stay. */
    gives(0, ftruncate, fd, 4 * PAGE);
    own[3 * PAGE] = 'p';
    gives(0, fallocate, fd, 3, 0, 4 * PAGE);
    is("a hole", at(own + 3 * PAGE), 'p');
}

/* Somebody cuts and grows a file all the time; who touches it sees its bytes, zeros or SIGBUS. */
static volatile int over;

static void *cutter(void *of) {
    int fd = *(int *)of;
    for (int i = 0; i < 300; i++) {
        ftruncate(fd, PAGE);
        ftruncate(fd, 3 * PAGE);
        pwrite(fd, "c", 1, 2 * PAGE);
    }
    over = 1;
    return NULL;
}

static int strange(int seen) {
    return seen != -1 && seen != 0 && seen != 'c' && seen != 'w';
}

static void races(void) {
    int fd = cut_file("file", 3), wrong = 0, to[2];
    char *shared = mmap(NULL, 3 * PAGE, BOTH, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 3 * PAGE, BOTH, MAP_PRIVATE, fd, 0);
    pthread_t other;
    pipe2(to, O_NONBLOCK);
    pthread_create(&other, NULL, cutter, &fd);
    while (!over) {
        char bytes[PAGE];
        wrong += strange(at(shared + 2 * PAGE)) + strange(set(shared + 2 * PAGE + 8, 'w'));
        wrong += strange(at(own + 2 * PAGE)) + strange(set(own + 2 * PAGE, 'w'));
        long sent = write(to[1], own + 2 * PAGE, 1);
        wrong += sent != 1 && errno != EFAULT;
        read(to[0], bytes, sizeof bytes);
    }
    pthread_join(other, NULL);
    gives(0, ftruncate, fd, PAGE);
    is("nothing strange", wrong, 0);
    is("shared in the end", at(shared + 2 * PAGE), -1);
    is("own in the end", at(own + 2 * PAGE), -1);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    beyond();
    copies();
    races();
}
