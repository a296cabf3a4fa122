/* Threads: numbers, shared memory and descriptors, ends. */
#include "abi.h"

#include <pthread.h>

static int fd, tid, pid;

static void *runs(void *argument) {
    tid = gettid();
    pid = getpid();
    fd = open("/dev/null", O_RDONLY);
    *(int *)argument = 5;
    return (void *)7;
}

int main(void) {
    pthread_t thread;
    int shared = 0;
    void *result;
    pthread_create(&thread, NULL, runs, &shared);
    pthread_join(thread, &result);
    is("result", (long)result, 7);
    is("shared", shared, 5);
    is("same process", pid == getpid(), 1);
    is("other thread", tid != pid, 1);
    gives(0, close, fd);
    /* It is joined a little before it has ended. */
    while (!abi_call(tgkill, getpid(), tid, 0))
        doze(1);
    fails(ESRCH, tgkill, getpid(), tid, 0);
    is("the first thread is the process", gettid() == getpid(), 1);
}
