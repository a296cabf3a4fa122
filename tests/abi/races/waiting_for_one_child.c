/* Threads that wait for the same children: each child is told of once. */
#include "abi.h"

#include <pthread.h>

#define CHILDREN 20

static int told, none;

static void *waits(void *unused) {
    for (;;) {
        int status, pid = wait(&status);
        if (pid < 0) {
            __atomic_add_fetch(&none, errno == ECHILD, __ATOMIC_SEQ_CST);
            return NULL;
        }
        __atomic_add_fetch(&told, WEXITSTATUS(status) == 3, __ATOMIC_SEQ_CST);
    }
}

int main(void) {
    pthread_t threads[3];
    for (int i = 0; i < CHILDREN; i++)
        if (!fork())
            _exit(3);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, waits, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    is("told", told, CHILDREN);
    is("threads that found no more", none, 3);
}
