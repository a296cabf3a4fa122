/* futex_waitv: several words at once. */
#include "abi.h"

#include <linux/futex.h>

static uint32_t *word;

static void waits(void) {
    struct futex_waitv some[3] = {
        {.uaddr = (uintptr_t)word, .flags = FUTEX_32},
        {.uaddr = (uintptr_t)(word + 1), .flags = FUTEX_32},
        {.uaddr = (uintptr_t)(word + 2), .flags = FUTEX_32},
    };
    gives(1, futex_waitv, some, 3, 0, NULL, 0);
}

int main(void) {
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct futex_waitv one = {.uaddr = (uintptr_t)word, .flags = FUTEX_32}, bad = one;
    struct timespec past = {1, 0}, wrong = {0, -1};
    int child = start(waits);
    until_asleep(child);
    gives(0, futex, word + 3, FUTEX_WAKE, 1, NULL, NULL, 0);
    gives(1, futex, word + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
    ended("child", child);
    fails(ETIMEDOUT, futex_waitv, &one, 1, 0, &past, CLOCK_MONOTONIC);
    fails(ETIMEDOUT, futex_waitv, &one, 1, 0, &past, CLOCK_REALTIME);
    one.val = 5;
    fails(EAGAIN, futex_waitv, &one, 1, 0, NULL, 0);
    fails(EINVAL, futex_waitv, &one, 0, 0, NULL, 0);
    fails(EINVAL, futex_waitv, &one, 129, 0, NULL, 0);
    fails(EINVAL, futex_waitv, &one, 1, 1, NULL, 0);
    fails(EINVAL, futex_waitv, NULL, 1, 0, NULL, 0);
    fails(EINVAL, futex_waitv, &one, 1, 0, &past, CLOCK_BOOTTIME);
    fails(EINVAL, futex_waitv, &one, 1, 0, &wrong, CLOCK_MONOTONIC);
    fails(EFAULT, futex_waitv, BAD, 1, 0, NULL, 0);
    fails(EFAULT, futex_waitv, &one, 1, 0, BAD, CLOCK_MONOTONIC);
    bad.flags = 0;
    fails(EINVAL, futex_waitv, &bad, 1, 0, NULL, 0);
    bad.flags = FUTEX_32;
    bad.uaddr++;
    fails(EINVAL, futex_waitv, &bad, 1, 0, NULL, 0);
    handle(SIGALRM, 0);
    alarm_in(20);
    one.val = 0;
    fails(EINTR, futex_waitv, &one, 1, 0, NULL, 0);
}
