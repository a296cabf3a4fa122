/* Threads that open and close at once: no number is given twice. */
#include "abi.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS  80

static int used[4096], twice, bad;

static void *work(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        int fds[2];
        if (pipe(fds))
            give_up("pipe");
        for (int n = 0; n < 2; n++)
            if (__atomic_exchange_n(&used[fds[n]], 1, __ATOMIC_SEQ_CST))
                twice++;
        if (write(fds[1], &i, sizeof i) != sizeof i)
            bad++;
        int got;
        if (read(fds[0], &got, sizeof got) != sizeof got || got != i)
            bad++;
        for (int n = 0; n < 2; n++) {
            __atomic_store_n(&used[fds[n]], 0, __ATOMIC_SEQ_CST);
            if (close(fds[n]))
                bad++;
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    is("twice", twice, 0);
    is("bad", bad, 0);
}
