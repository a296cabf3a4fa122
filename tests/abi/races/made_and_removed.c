/* Two threads make and remove the same names: each call succeeds for one of them alone. */
#include "abi.h"

#include <pthread.h>

#define ROUNDS 50

static pthread_barrier_t barrier;
static int made, removed, wrong;

static void *work(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&barrier);
        int fd = open("file", O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd >= 0)
            __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
        else if (errno != EEXIST)
            wrong++;
        close(fd);
        if (!mkdir("folder", 0700))
            __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
        else if (errno != EEXIST)
            wrong++;
        pthread_barrier_wait(&barrier);
        if (!unlink("file"))
            __atomic_add_fetch(&removed, 1, __ATOMIC_SEQ_CST);
        else if (errno != ENOENT)
            wrong++;
        if (!rmdir("folder"))
            __atomic_add_fetch(&removed, 1, __ATOMIC_SEQ_CST);
        else if (errno != ENOENT)
            wrong++;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    is("made", made, 2 * ROUNDS);
    is("removed", removed, 2 * ROUNDS);
    is("wrong", wrong, 0);
}
