/* Which thread gets a signal: the one meant, or one that does not block it. */
#include "abi.h"

#include <pthread.h>

static volatile int got_by, tid;

static void handler(int) {
    got_by = gettid();
}

static void *runs(void *) {
    tid = gettid();
    while (!got_by)
        doze(1);
    return NULL;
}

int main(void) {
    pthread_t thread;
    sigset_t set;
    signal(SIGUSR1, handler);
    pthread_create(&thread, NULL, runs, NULL);
    while (!tid)
        doze(1);
    gives(0, tgkill, getpid(), tid, SIGUSR1);
    pthread_join(thread, NULL);
    is("the one meant", got_by == tid, 1);
    got_by = tid = 0;
    pthread_create(&thread, NULL, runs, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    gives(0, kill, getpid(), SIGUSR1);
    pthread_join(thread, NULL);
    is("one that does not block it", got_by == tid, 1);
    uint64_t pending;
    gives(0, rt_sigpending, &pending, 8);
    is("nothing is left", pending, 0);
}
