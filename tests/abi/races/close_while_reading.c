/* A thread waits in a read while another closes its descriptor, or puts another file there. */
#include "abi.h"

#include <pthread.h>

static int ends_of[2];
static volatile int tid;
static volatile long got;

static void *reads(void *) {
    char data[8];
    tid = gettid();
    got = read(ends_of[0], data, sizeof data);
    return NULL;
}

static pthread_t begin(void) {
    pthread_t thread;
    pipe(ends_of);
    tid = 0;
    pthread_create(&thread, NULL, reads, NULL);
    while (!tid)
        doze(1);
    until_thread_asleep(tid);
    return thread;
}

int main(void) {
    pthread_t thread = begin();
    int copy = dup(ends_of[0]);
    close(ends_of[0]);
    write(ends_of[1], "abc", 3);
    pthread_join(thread, NULL);
    is("read what came", got, 3);
    close(copy);
    thread = begin();
    copy = dup(ends_of[0]);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, ends_of[0]);
    write(ends_of[1], "abcd", 4);
    pthread_join(thread, NULL);
    is("from the file that it was", got, 4);
}
