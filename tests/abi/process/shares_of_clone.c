/* clone: descriptors, folders and memory that are shared, and those that are not. */
#include "abi.h"

static int word;

static int runs(void *kept) {
    word++;
    close(*(int *)kept);
    chdir("folder");
    umask(011);
    return 0;
}

int main(void) {
    static char stack[2][65536];
    put("file", "");
    mkdir("folder", 0700);
    int kept = dup(0);
    int child = clone(runs, stack[0] + 65536, CLONE_FILES | CLONE_FS | CLONE_VM | SIGCHLD, &kept);
    waitpid(child, NULL, 0);
    is("memory", word, 1);
    fails(EBADF, fcntl, kept, F_GETFD);
    is("folder", access("../file", F_OK), 0);
    is("mask", umask(022), 011);
    chdir("..");
    kept = dup(0);
    child = clone(runs, stack[1] + 65536, SIGCHLD, &kept);
    waitpid(child, NULL, 0);
    is("memory", word, 1);
    works(fcntl, kept, F_GETFD);
    is("folder", access("file", F_OK), 0);
    is("mask", umask(022), 022);
}
