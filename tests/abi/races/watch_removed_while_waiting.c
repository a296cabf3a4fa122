/* epoll: what is taken out of a set, and put into it, while another thread waits at it. */
#include "abi.h"

#include <pthread.h>
#include <sys/epoll.h>

static int set, tid;
static long got;
static struct epoll_event event;

static void *waits(void *unused) {
    tid = syscall(SYS_gettid);
    got = epoll_wait(set, &event, 1, 10000);
    return NULL;
}

int main(void) {
    pthread_t thread;
    int first[2], second[2];
    struct epoll_event one = {EPOLLIN, {.u32 = 1}}, two = {EPOLLIN, {.u32 = 2}};
    pipe(first);
    pipe(second);
    set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, first[0], &one);
    pthread_create(&thread, NULL, waits, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        doze(1);
    until_thread_asleep(tid);
    gives(0, epoll_ctl, set, EPOLL_CTL_DEL, first[0], NULL);
    gives(1, write, first[1], "x", 1);
    doze(20);
    write(second[1], "x", 1);
    gives(0, epoll_ctl, set, EPOLL_CTL_ADD, second[0], &two);
    pthread_join(thread, NULL);
    is("got", got, 1);
    is("which", event.data.u32, 2);
}
