/* A timer that is set to a nearer time, or stopped, while somebody reads it. */
#include "abi.h"

#include <pthread.h>
#include <sys/timerfd.h>

static int timer, tid;
static long got, times;

static void *reads(void *unused) {
    tid = syscall(SYS_gettid);
    got = read(timer, &times, 8);
    return NULL;
}

int main(void) {
    pthread_t thread;
    struct itimerspec far = {.it_value = {100}}, soon = {.it_value = {0, 1000000}}, none = {};
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(timer, 0, &far, NULL);
    pthread_create(&thread, NULL, reads, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        doze(1);
    until_thread_asleep(tid);
    gives(0, timerfd_settime, timer, 0, &none, NULL);
    gives(0, timerfd_settime, timer, 0, &soon, NULL);
    pthread_join(thread, NULL);
    is("read", got, 8);
    is("times", times, 1);
}
