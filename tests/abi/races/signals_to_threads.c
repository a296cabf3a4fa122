/* Many signals to a process of many threads: each queued one is handled once. */
#include "abi.h"

#include <pthread.h>

#define SIGNALS 60

static int count, stop;

static void handler(int signal) {
    __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
}

static void *works_on(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        syscall(SYS_getppid);
    return NULL;
}

static void sends(void) {
    union sigval value = {};
    for (int i = 0; i < SIGNALS; i++)
        if (sigqueue(getppid(), SIGRTMIN + 1, value))
            give_up("sigqueue");
}

int main(void) {
    pthread_t threads[3];
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN + 1, &action, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, works_on, NULL);
    int child = start(sends);
    ended("sender", child);
    for (int i = 0; i < 1000 && __atomic_load_n(&count, __ATOMIC_SEQ_CST) < SIGNALS; i++)
        doze(2);
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    is("handled", count, SIGNALS);
}
