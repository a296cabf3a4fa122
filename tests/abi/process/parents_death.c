/* The signal that a child asked for, for when its parent ends. */
#include "abi.h"

#include <sys/prctl.h>

static int *told;

static void hears(int) {
    told[0] = 1;
}

static void child_runs(void) {
    signal(SIGUSR1, hears);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    told[1] = 1;
    while (!told[0])
        doze(1);
    told[2] = 1;
}

static void parent_goes(void) {
    start(child_runs);
    while (!told[1])
        doze(1);
}

int main(void) {
    told = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    in_child("parent", parent_goes);
    while (!told[2])
        doze(1);
    say("told");
}
