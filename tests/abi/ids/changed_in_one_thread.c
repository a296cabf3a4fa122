/* Users and groups are a thread's own: another thread and a later child have their creator's. */
#include "abi.h"

#include <pthread.h>

static pthread_barrier_t barrier;

static void *thread(void *unused) {
    gives(0, setresuid, 5, 6, 7);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    gives(6, geteuid);
    int child = fork();
    if (!child)
        _exit(syscall(SYS_geteuid) != 6);
    int status;
    waitpid(child, &status, 0);
    is("its child", WEXITSTATUS(status), 0);
    return NULL;
}

int main(void) {
    pthread_t one;
    int real, effective, saved;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&one, NULL, thread, NULL);
    pthread_barrier_wait(&barrier);
    gives(0, geteuid);
    gives(0, getuid);
    pthread_barrier_wait(&barrier);
    pthread_join(one, NULL);
    gives(0, getresuid, &real, &effective, &saved);
    is("none of it", real + effective + saved, 0);
}
