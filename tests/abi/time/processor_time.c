/* Clocks of processor time: they run with the program, and only with it. */
#include "abi.h"

static long read_clock(int clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void works_a_while(void) {
    long begin = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    while (read_clock(CLOCK_PROCESS_CPUTIME_ID) - begin < 20000000)
        ;
}

int main(void) {
    struct rusage before, after;
    long own = read_clock(CLOCK_THREAD_CPUTIME_ID), whole = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    works_a_while();
    is("thread's", read_clock(CLOCK_THREAD_CPUTIME_ID) - own >= 20000000, 1);
    is("process's", read_clock(CLOCK_PROCESS_CPUTIME_ID) - whole >= 20000000, 1);
    getrusage(RUSAGE_CHILDREN, &before);
    in_child("child", works_a_while);
    getrusage(RUSAGE_CHILDREN, &after);
    long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
                after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    is("the child's is added", used >= 10000, 1);
}
