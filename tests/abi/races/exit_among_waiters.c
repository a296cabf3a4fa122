/* exit_group() and exec while other threads sleep in calls of all kinds. */
#include "abi.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

static int ends[2], word, counter, begun;

static void *waits(void *kind) {
    char byte;
    struct pollfd one = {ends[0], POLLIN};
    __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    switch ((long)kind) {
    case 0:
        read(ends[0], &byte, 1);
        break;
    case 1:
        poll(&one, 1, -1);
        break;
    case 2:
        syscall(SYS_futex, &word, 0, 0, NULL);
        break;
    case 3:
        pause();
        break;
    case 4:
        read(counter, &(long){0}, 8);
        break;
    default:
        doze(100000);
    }
    return NULL;
}

static void begin(void) {
    pthread_t thread;
    pipe(ends);
    counter = eventfd(0, 0);
    for (long kind = 0; kind < 6; kind++)
        pthread_create(&thread, NULL, waits, (void *)kind);
    while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < 6)
        doze(1);
    doze(30);
}

static void exits(void) {
    begin();
    syscall(SYS_exit_group, 7);
}

static void killed(void) {
    begin();
    kill(getpid(), SIGKILL);
    pause();
}

static void executes(void) {
    begin();
    execl("/bin/true", "true", NULL);
}

int main(void) {
    in_child("exit", exits);
    in_child("kill", killed);
    in_child("exec", executes);
}
