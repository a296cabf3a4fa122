/* mprotect over parts, several mappings and holes; what a write or a jump there then does. */
#include "abi.h"

#include <setjmp.h>

enum { PAGE = 4096 };
static sigjmp_buf back;

static void handler(int signal, siginfo_t *info, void *) {
    siglongjmp(back, info->si_code);
}

static char tried(char *at, int how) {
    int code = sigsetjmp(back, 1);
    if (code)
        return code == SEGV_ACCERR ? 'x' : '-';
    if (how == 0)
        (void)*(volatile char *)at;
    else if (how == 1)
        *(volatile char *)at = '\xc3'; /* ret */
    else
        ((void (*)(void))at)();
    return how == 0 ? 'r' : how == 1 ? 'w' : 'e';
}

static void map(const char *what, char *at, int count) {
    char shown[64] = "";
    for (int i = 0; i < count; i++)
        for (int how = 0; how < 2; how++)
            shown[2 * i + how] = tried(at + i * PAGE, how);
    say("%s: %s", what, shown);
}

int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    char *at = pages(8);
    map("new", at, 8);
    gives(0, mprotect, at + PAGE, 2 * PAGE, PROT_READ);
    map("second and third", at, 8);
    gives(0, mprotect, at + 2 * PAGE, 3 * PAGE, PROT_NONE);
    map("third to fifth", at, 8);
    gives(0, mprotect, at, 8 * PAGE, PROT_READ | PROT_WRITE);
    map("all", at, 8);
    is("kept", at[2 * PAGE], '\xc3');
    munmap(at + 4 * PAGE, PAGE);
    fails(ENOMEM, mprotect, at + 2 * PAGE, 4 * PAGE, PROT_READ);
    map("up to the hole", at, 8);
    fails(ENOMEM, mprotect, at + 4 * PAGE, PAGE, PROT_READ);
    fails(EINVAL, mprotect, at + 1, PAGE, PROT_READ);
    fails(EINVAL, mprotect, at, PAGE, 0x100);
    fails(EINVAL, mprotect, at, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP);
    gives(0, mprotect, at, 0, PROT_NONE);
    gives(0, mprotect, at, 1, PROT_NONE);
    map("less than a page", at, 2);
    /* To run: what is written first, and never without the right. */
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    at[0] = '\xc3';
    say("%c", tried(at, 2));
    gives(0, mprotect, at, PAGE, PROT_READ | PROT_EXEC);
    say("%c %c", tried(at, 2), tried(at, 1));
    gives(0, mprotect, at, PAGE, PROT_EXEC);
    say("%c %c", tried(at, 2), tried(at, 0));
    gives(0, mprotect, at, PAGE, PROT_WRITE);
    say("%c %c", tried(at, 1), tried(at, 0));
    /* A file opened for reading alone is not written to by its shared mapping. */
    put("file", "text");
    int reads = open("file", O_RDONLY), writes = open("file", O_WRONLY);
    at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reads, 0);
    fails(EACCES, mprotect, at, PAGE, PROT_READ | PROT_WRITE);
    fails(EACCES, mmap, 0, PAGE, PROT_WRITE, MAP_SHARED, reads, 0);
    fails(EACCES, mmap, 0, PAGE, PROT_READ, MAP_SHARED, writes, 0);
    fails(EACCES, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, writes, 0);
    at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, reads, 0);
    gives(0, mprotect, at, PAGE, PROT_READ | PROT_WRITE);
    at[0] = 'T';
    say("%s", get("file"));
    at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reads, 0);
    map("beyond the file's end", at, 2);
}
