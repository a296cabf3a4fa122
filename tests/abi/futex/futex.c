/* futex: wait, wake, requeue, bitsets, and everything refused. */
#include "abi.h"

#include <linux/futex.h>

static uint32_t *word;

static void waits(void) {
    gives(0, futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void waits_for_bits(void) {
    gives(0, futex, word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 4);
}

int main(void) {
    struct timespec soon = {0, 1000000}, bad = {0, -1}, past = {1, 0}, long_time = {100, 0};
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gives(0, futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
    fails(EAGAIN, futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
    fails(ETIMEDOUT, futex, word, FUTEX_WAIT, 0, &soon, NULL, 0);
    fails(ETIMEDOUT, futex, word, FUTEX_WAIT_BITSET, 0, &past, NULL, -1);
    fails(ETIMEDOUT, futex, word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, -1);
    fails(EINVAL, futex, word, FUTEX_WAIT, 0, &bad, NULL, 0);
    fails(EINVAL, futex, (char *)word + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
    fails(EINVAL, futex, (char *)word + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
    fails(EINVAL, futex, word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
    fails(EINVAL, futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
    fails(EFAULT, futex, BAD, FUTEX_WAIT, 0, NULL, NULL, 0);
    fails(EFAULT, futex, BAD, FUTEX_WAKE, 1, NULL, NULL, 0);
    fails(EFAULT, futex, word, FUTEX_WAIT, 0, BAD, NULL, 0);
    fails(ENOSYS, futex, word, 99, 0, NULL, NULL, 0);
    fails(ENOSYS, futex, word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0);
    int child = start(waits);
    until_asleep(child);
    gives(1, futex, word, FUTEX_WAKE, 10, NULL, NULL, 0);
    ended("child", child);
    child = start(waits_for_bits);
    until_asleep(child);
    gives(0, futex, word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 3);
    gives(1, futex, word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 6);
    ended("child", child);
    child = start(waits);
    int second = start(waits);
    until_asleep(child);
    until_asleep(second);
    gives(2, futex, word, FUTEX_REQUEUE, 1, (void *)10, word + 1, 0);
    gives(1, futex, word + 1, FUTEX_WAKE, 10, NULL, NULL, 0);
    ended("child", child);
    ended("second", second);
    fails(EAGAIN, futex, word, FUTEX_CMP_REQUEUE, 1, (void *)10, word + 1, 5);
    gives(0, futex, word, FUTEX_CMP_REQUEUE, 1, (void *)10, word + 1, 0);
    fails(EINVAL, futex, word, FUTEX_CMP_REQUEUE, -1, (void *)10, word + 1, 0);
    child = start(waits);
    until_asleep(child);
    gives(1, futex, word + 2, FUTEX_WAKE_OP, 1, (void *)1, word,
          FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0));
    is("added", word[0], 3);
    ended("child", child);
    fails(ENOSYS, futex, word + 2, FUTEX_WAKE_OP, 1, (void *)1, word,
          FUTEX_OP(7, 3, FUTEX_OP_CMP_EQ, 0));
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, futex, word + 2, FUTEX_WAIT, 0, &long_time, NULL, 0);
}
