/* gettid, getpid, getppid: in threads, children and grandchildren. */
#include "abi.h"

#include <pthread.h>

static int main_tid;

static void *thread(void *unused) {
    is("process", getpid() == main_tid, 1);
    is("thread", syscall(SYS_gettid) != main_tid, 1);
    int child = fork();
    if (!child)
        _exit(getppid() != main_tid || syscall(SYS_gettid) != getpid());
    int status;
    waitpid(child, &status, 0);
    is("child", WEXITSTATUS(status), 0);
    return NULL;
}

int main(void) {
    pthread_t one;
    main_tid = syscall(SYS_gettid);
    is("first thread", main_tid == getpid(), 1);
    pthread_create(&one, NULL, thread, NULL);
    pthread_join(one, NULL);
    int ends[2], parent;
    pipe(ends);
    if (!fork()) {
        if (!fork()) {
            int before = getppid();
            while (getppid() == before)
                doze(1);
            write(ends[1], &parent, sizeof parent);
            _exit(0);
        }
        doze(30);
        _exit(0);
    }
    gives(4, read, ends[0], &parent, sizeof parent);
}
