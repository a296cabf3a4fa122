/* How a process with several threads ends: when one says so, or when the last has gone. */
#include "abi.h"

#include <pthread.h>

static void *says_so(void *) {
    ends(exit_group, 0);
    return NULL;
}

static void *goes_last(void *) {
    doze(30);
    say("the last one");
    ends(exit, 0);
    return NULL;
}

static void *waits(void *) {
    for (;;)
        pause();
}

static void group_ends(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits, NULL);
    pthread_create(&thread, NULL, says_so, NULL);
    waits(NULL);
}

static void first_goes(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, goes_last, NULL);
    ends(exit, 3);
}

static void killed(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits, NULL);
    kill(getpid(), SIGTERM);
    waits(NULL);
}

static void *becomes(void *) {
    char *words[] = {"true", NULL};
    ends(execve, "/bin/true", words, NULL);
    return NULL;
}

static void execs(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, becomes, NULL);
    waits(NULL);
}

int main(void) {
    in_child("group", group_ends);
    in_child("first", first_goes);
    in_child("killed", killed);
    in_child("exec", execs);
}
