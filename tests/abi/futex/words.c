/* futex: private and shared words, over fork, in files; bits, requeues, times, refused. */
#include "abi.h"

#include <linux/futex.h>

static unsigned *word, *other;

static void waits(void) {
    gives(0, futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void waits_for_bits(void) {
    gives(0, futex, word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 6);
}

int main(void) {
    struct timespec none = {0, 0}, wrong = {0, -1}, past = {1, 0};
    unsigned here = 0;
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    other = word + 100;
    fails(EAGAIN, futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
    fails(ETIMEDOUT, futex, word, FUTEX_WAIT, 0, &none, NULL, 0);
    fails(ETIMEDOUT, futex, word, FUTEX_WAIT_BITSET, 0, &past, NULL, 1);
    fails(EINVAL, futex, word, FUTEX_WAIT, 0, &wrong, NULL, 0);
    fails(EINVAL, futex, word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
    fails(EINVAL, futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
    fails(EINVAL, futex, (char *)word + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
    fails(EINVAL, futex, (char *)word + 2, FUTEX_WAKE, 1, NULL, NULL, 0);
    fails(EFAULT, futex, BAD, FUTEX_WAIT, 0, NULL, NULL, 0);
    fails(EFAULT, futex, word, FUTEX_WAIT, 0, BAD, NULL, 0);
    fails(EFAULT, futex, BAD, FUTEX_WAKE, 1, NULL, NULL, 0);
    fails(ENOSYS, futex, word, 99, 0, NULL, NULL, 0);
    gives(0, futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
    gives(0, futex, &here, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    /* Over fork, and by another mapping of the same. */
    int one = start(waits);
    until_asleep(one);
    gives(0, futex, other, FUTEX_WAKE, 1, NULL, NULL, 0);
    unsigned *again = mremap(word, 0, 4096, MREMAP_MAYMOVE);
    gives(1, futex, again, FUTEX_WAKE, 1, NULL, NULL, 0);
    ended("waits", one);
    one = start(waits);
    int two = start(waits), three = start(waits);
    until_asleep(one);
    until_asleep(two);
    until_asleep(three);
    gives(2, futex, word, FUTEX_WAKE, 2, NULL, NULL, 0);
    gives(1, futex, word, FUTEX_WAKE, 2, NULL, NULL, 0);
    ended("one", one);
    ended("two", two);
    ended("three", three);
    one = start(waits_for_bits);
    until_asleep(one);
    gives(0, futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 9);
    gives(1, futex, word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 3);
    ended("bits", one);
    /* Moved to another word, woken there. */
    one = start(waits);
    two = start(waits);
    until_asleep(one);
    until_asleep(two);
    fails(EAGAIN, futex, word, FUTEX_CMP_REQUEUE, 0, 1, other, 5);
    gives(2, futex, word, FUTEX_CMP_REQUEUE, 1, 1, other, 0);
    gives(0, futex, word, FUTEX_WAKE, 5, NULL, NULL, 0);
    gives(1, futex, other, FUTEX_WAKE, 5, NULL, NULL, 0);
    ended("one", one);
    ended("two", two);
    fails(EINVAL, futex, word, FUTEX_CMP_REQUEUE, -1, 1, other, 0);
    fails(EINVAL, futex, word, FUTEX_REQUEUE, 1, -1, other, 0);
    /* FUTEX_WAKE_OP: adds 3, and wakes the second if it was 4. */
    *other = 4;
    one = start(waits);
    until_asleep(one);
    gives(1, futex, word, FUTEX_WAKE_OP, 1, 1, other,
          FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 4));
    is("sum", *other, 7);
    ended("one", one);
    fails(ENOSYS, futex, word, FUTEX_WAKE_OP, 1, 1, other, FUTEX_OP(7, 3, FUTEX_OP_CMP_EQ, 4));
    /* In a file that two map. */
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 4096);
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    one = start(waits);
    until_asleep(one);
    unsigned *third = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    gives(0, futex, third, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    gives(1, futex, third, FUTEX_WAKE, 1, NULL, NULL, 0);
    ended("in a file", one);
}
