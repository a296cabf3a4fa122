/* Many threads at once, each with a number of its own. */
#include "abi.h"

#include <pthread.h>

enum { COUNT = 100 };

static pthread_barrier_t all_here;
static int tids[COUNT];

static void *runs(void *number) {
    tids[(long)number] = gettid();
    pthread_barrier_wait(&all_here);
    return NULL;
}

int main(void) {
    pthread_t threads[COUNT];
    pthread_attr_t small;
    int same = 0;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_barrier_init(&all_here, NULL, COUNT + 1);
    for (long i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], &small, runs, (void *)i))
            give_up("pthread_create");
    pthread_barrier_wait(&all_here);
    for (int i = 0; i < COUNT; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            same += tids[i] == tids[j];
    is("same numbers", same, 0);
}
