/* Futexes: a word that differs, none that waits, many that are woken, times that pass. */
#include "abi.h"

#include <linux/futex.h>
#include <pthread.h>

static int word, woken;

static void *waits(void *unused) {
    while (abi_call(futex, &word, FUTEX_WAIT, 0, NULL) && errno == EINTR)
        ;
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    struct timespec soon = {0, 5000000}, wrong = {0, -1};
    fails(EAGAIN, futex, &word, FUTEX_WAIT, 1, NULL);
    fails(ETIMEDOUT, futex, &word, FUTEX_WAIT, 0, &soon);
    fails(EINVAL, futex, &word, FUTEX_WAIT, 0, &wrong);
    fails(EINVAL, futex, (char *)&word + 1, FUTEX_WAIT, 0, NULL);
    fails(EFAULT, futex, BAD, FUTEX_WAIT, 0, NULL);
    fails(ENOSYS, futex, &word, 99, 0, NULL);
    fails(EINVAL, futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
    gives(0, futex, &word, FUTEX_WAKE, 10);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, waits, NULL);
    int total = 0;
    while (total < 3) {
        long now = abi_call(futex, &word, FUTEX_WAKE, 1);
        if (now < 0 || now > 1)
            say("woke %ld", now);
        total += now;
        doze(1);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    is("woken", woken, 3);
    gives(0, futex, &word, FUTEX_WAKE, 10);
}
