/* Locks and conditions of the C library, under contention. */
#include "abi.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static long sum;
static int whose;

static void *adds(void *) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        sum++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *takes_turns(void *number) {
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&lock);
        while (whose != (long)number)
            pthread_cond_wait(&turn, &lock);
        whose = (whose + 1) % THREADS;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void all(void *(*fn)(void *)) {
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fn, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    all(adds);
    is("sum", sum, THREADS * ROUNDS);
    all(takes_turns);
    is("whose", whose, 0);
    pthread_mutexattr_t how;
    pthread_mutexattr_init(&how);
    pthread_mutexattr_setprotocol(&how, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&lock, &how);
    sum = 0;
    all(adds);
    is("sum, with owners", sum, THREADS * ROUNDS);
}
