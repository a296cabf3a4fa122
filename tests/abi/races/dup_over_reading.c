/* dup2() over a descriptor that another thread reads from: that read goes on with the old file. */
#include "abi.h"

#include <pthread.h>

static int ends[2], tid;
static long got;
static char byte;

static void *reads(void *unused) {
    tid = syscall(SYS_gettid);
    got = read(ends[0], &byte, 1);
    return NULL;
}

int main(void) {
    pthread_t thread;
    int other[2];
    pipe(ends);
    pipe(other);
    write(other[1], "new", 3);
    pthread_create(&thread, NULL, reads, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        doze(1);
    until_thread_asleep(tid);
    gives(ends[0], dup2, other[0], ends[0]);
    gives(1, write, ends[1], "o", 1);
    pthread_join(thread, NULL);
    is("read", got, 1);
    is("what", byte, 'o');
    gives(1, read, ends[0], &byte, 1);
    is("the new one's", byte, 'n');
    fails(EPIPE, write, ends[1], "x", (signal(SIGPIPE, SIG_IGN), 1));
}
