/* Mappings of files that are written, cut, grown and removed under them. */
#include "abi.h"

#include <setjmp.h>

enum { PAGE = 4096 };
static sigjmp_buf back;

static void handler(int signal, siginfo_t *info, void *) {
    say("  signal %d, code %d", signal, info->si_code);
    siglongjmp(back, 1);
}

static int at(char *place) {
    return sigsetjmp(back, 1) ? -1 : *(volatile char *)place;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 2 * PAGE);
    char *shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
         *again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE),
         *own = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), byte;
    shared[PAGE] = 's';
    is("another mapping", *again, 's');
    is("a private one", own[PAGE], 's');
    gives(1, pread64, fd, &byte, 1, PAGE);
    is("read", byte, 's');
    pwrite(fd, "w", 1, PAGE);
    is("written", shared[PAGE], 'w');
    is("untouched private page follows", own[PAGE], 'w');
    own[PAGE] = 'o';
    pwrite(fd, "v", 1, PAGE);
    is("touched one does not", own[PAGE], 'o');
    is("nor the file", shared[PAGE], 'v');
    is("behind the end", at(shared + 2 * PAGE), -1);
    gives(0, ftruncate, fd, 3 * PAGE);
    is("grown", at(shared + 2 * PAGE), 0);
    shared[2 * PAGE + 10] = 'g';
    gives(0, ftruncate, fd, 2 * PAGE + 5);
    is("within the last page", at(shared + 2 * PAGE + 10), 0);
    shared[2 * PAGE + 10] = 'h'; /* behind the end, and never in the file */
    gives(0, ftruncate, fd, 3 * PAGE);
    shared[0] = 'f';
    gives(0, unlink, "file");
    close(fd);
    is("removed", at(shared), 'f');
    gives(0, msync, shared, PAGE, MS_SYNC);
    gives(0, msync, shared, PAGE, MS_ASYNC);
    gives(0, msync, shared, PAGE, MS_INVALIDATE | MS_SYNC);
    fails(EINVAL, msync, shared, PAGE, MS_ASYNC | MS_SYNC);
    fails(EINVAL, msync, shared, PAGE, 8);
    fails(EINVAL, msync, shared + 1, PAGE, MS_SYNC);
    munmap(again, PAGE);
    fails(ENOMEM, msync, again, PAGE, MS_SYNC);
    /* A write straight from a mapping of the same file to another place of it. */
    fd = open("second", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 2 * PAGE);
    shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    strcpy(shared, "copied");
    gives(6, pwrite64, fd, shared, 6, PAGE);
    say("%s", shared + PAGE);
    gives(6, pread64, fd, shared + 100, 6, PAGE);
    say("%s", shared + 100);
}
