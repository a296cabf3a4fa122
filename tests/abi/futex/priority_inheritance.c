/* futexes with owners: FUTEX_LOCK_PI and its like. */
#include "abi.h"

#include <linux/futex.h>

static uint32_t *word;

static void locks(void) {
    gives(0, futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    is("own", (*word & FUTEX_TID_MASK) == gettid(), 1);
    gives(0, futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void others(void) {
    fails(EAGAIN, futex, word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
    fails(EPERM, futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    fails(ETIMEDOUT, futex, word, FUTEX_LOCK_PI, 0, &(struct timespec){1, 0}, NULL, 0);
}

int main(void) {
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gives(0, futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    is("own", *word == gettid(), 1);
    fails(EDEADLK, futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    in_child("others", others);
    int child = start(locks);
    until_asleep(child);
    gives(0, futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    ended("child", child);
    *word = 99999;
    fails(ESRCH, futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    fails(EPERM, futex, word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}
