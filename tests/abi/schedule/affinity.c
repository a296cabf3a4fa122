/* sched_setaffinity and its like: masks of each length, threads, children, refused. */
#include "abi.h"

static unsigned long first_of(const unsigned long *mask) {
    return *mask & -*mask;
}

static void child(void) {
    unsigned long mask[16] = {};
    works(sched_getaffinity, 0, sizeof mask, mask);
    is("one is inherited", __builtin_popcountl(mask[0]), 1);
}

static void somebody(void) {
    unsigned long one = 1;
    be(SOMEBODY);
    fails(EPERM, sched_setaffinity, getppid(), 8, &one);
}

int main(void) {
    unsigned long mask[16] = {}, none[16] = {}, one, all[16];
    memset(all, 0xff, sizeof all);
    works(sched_getaffinity, 0, sizeof mask, mask);
    is("some", mask[0] != 0, 1);
    one = first_of(mask);
    gives(0, sched_setaffinity, 0, 8, &one);
    unsigned cpu = 99;
    gives(0, getcpu, &cpu, NULL);
    is("there", 1ul << cpu == one, 1);
    in_child("child", child);
    gives(0, sched_setaffinity, 0, sizeof all, all);
    unsigned long again[16] = {};
    works(sched_getaffinity, 0, sizeof again, again);
    is("all there are", memcmp(again, mask, sizeof mask), 0);
    gives(0, sched_setaffinity, gettid(), 1, &one);
    fails(EINVAL, sched_setaffinity, 0, sizeof none, none);
    fails(EINVAL, sched_setaffinity, 0, 0, mask);
    fails(EFAULT, sched_setaffinity, 0, 8, BAD);
    fails(ESRCH, sched_setaffinity, 0x3ffffff, 8, &one);
    fails(EINVAL, sched_getaffinity, 0, 7, mask);
    fails(EINVAL, sched_getaffinity, 0, 9, mask);
    fails(EFAULT, sched_getaffinity, 0, 8, BAD);
    fails(ESRCH, sched_getaffinity, 0x3ffffff, 8, mask);
    in_child("somebody", somebody);
}
