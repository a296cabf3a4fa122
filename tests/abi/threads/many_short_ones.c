/* Threads that begin and end by the hundred, joined and detached. */
#include "abi.h"

#include <pthread.h>

static int count;

static void *adds(void *number) {
    __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    return number;
}

int main(void) {
    pthread_t threads[10];
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int round = 0; round < 10; round++) {
        for (long i = 0; i < 10; i++)
            if (pthread_create(&threads[i], NULL, adds, (void *)i))
                give_up("thread");
        for (long i = 0; i < 10; i++) {
            void *result;
            pthread_join(threads[i], &result);
            if ((long)result != i)
                say("another's result");
        }
    }
    for (int i = 0; i < 50; i++)
        if (pthread_create(&threads[0], &detached, adds, NULL))
            give_up("thread");
    for (int i = 0; i < 2000 && __atomic_load_n(&count, __ATOMIC_SEQ_CST) < 150; i++)
        doze(1);
    is("all ran", count, 150);
}
