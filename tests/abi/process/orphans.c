/* Whose child one is when the parent has gone: the nearest subreaper's. */
#include "abi.h"

#include <sys/prctl.h>

static int *grandchild;

static void grandchild_runs(void) {
    int parent = getppid();
    grandchild[0] = getpid();
    while (getppid() == parent)
        doze(1);
    grandchild[1] = getppid();
}

static void parent_goes(void) {
    start(grandchild_runs);
    while (!grandchild[0])
        doze(1);
}

int main(void) {
    int status;
    grandchild = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gives(0, prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    in_child("parent", parent_goes);
    is("waited for", works(wait4, grandchild[0], &status, 0, NULL) == grandchild[0], 1);
    is("status", status, 0);
    is("came to the subreaper", grandchild[1] == getpid(), 1);
    fails(ECHILD, wait4, -1, &status, 0, NULL);
}
