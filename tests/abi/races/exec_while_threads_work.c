/* A program begins while the threads of the one before are busy in and out of calls. */
#include "abi.h"

#include <pthread.h>

static void *is_busy(void *) {
    char data[64];
    int fd = open("/dev/zero", O_RDONLY);
    for (;;)
        read(fd, data, sizeof data);
}

static void *sleeps(void *) {
    for (;;)
        pause();
}

static void begins(void) {
    pthread_t thread;
    char *words[] = {"echo", "begun", NULL};
    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, i ? is_busy : sleeps, NULL);
    doze(5);
    ends(execve, "/bin/echo", words, NULL);
}

int main(void) {
    for (int i = 0; i < 5; i++)
        in_child("program", begins);
}
