/* Forks by several threads at once, while others come and go. */
#include "abi.h"

#include <pthread.h>

static void *forks(void *) {
    for (int i = 0; i < 10; i++) {
        int status, child = fork();
        if (!child)
            _exit(gettid() == getpid() ? 3 : 4);
        if (waitpid(child, &status, 0) != child || status != 3 << 8)
            return (void *)1;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    long wrong = 0;
    void *result;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, forks, NULL);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        wrong += (long)result;
    }
    is("wrong", wrong, 0);
    fails(ECHILD, wait4, -1, NULL, 0, NULL);
}
