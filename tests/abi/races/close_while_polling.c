/* A file that is closed while another thread polls it: it is none when the poll looks again. */
#include "abi.h"

#include <poll.h>
#include <pthread.h>

static int ends[2], tid, answer, events;

static void *polls(void *unused) {
    struct pollfd one = {ends[0], POLLIN};
    tid = syscall(SYS_gettid);
    answer = poll(&one, 1, 5000);
    events = one.revents;
    return NULL;
}

int main(void) {
    pthread_t thread;
    pipe(ends);
    int kept = dup(ends[0]);
    pthread_create(&thread, NULL, polls, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        doze(1);
    until_thread_asleep(tid);
    gives(0, close, ends[0]);
    gives(1, write, ends[1], "x", 1);
    pthread_join(thread, NULL);
    is("answer", answer, 1);
    is("events", events, POLLNVAL);
    close(kept);
}
