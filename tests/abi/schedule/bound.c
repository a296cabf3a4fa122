/* Threads that have a priority and never sleep, one for each CPU, leave others enough to end them
 * by. */
#include "abi.h"

static volatile int *ready;

/* Ends by itself at a time when the parent, had it been left nothing, cannot have ended it. */
static void computes(void) {
    struct sched_param first = {.sched_priority = 10};
    struct timespec now, began;
    if (sched_setscheduler(0, SCHED_FIFO, &first))
        give_up("priority");
    clock_gettime(CLOCK_MONOTONIC, &began);
    __atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec - began.tv_sec < 20);
}

int main(void) {
    int children[64], count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    count = count < 64 ? count : 64;
    for (int i = 0; i < count; i++)
        children[i] = start(computes);
    while (*ready < count)
        doze(1);
    for (int i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < count; i++) {
        int status;
        waitpid(children[i], &status, 0);
        if (!WIFSIGNALED(status))
            is("killed", 0, 1);
    }
    say("all were killed");
    return 0;
}
