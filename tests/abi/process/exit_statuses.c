/* How processes end: statuses, signals with and without a core, ends of threads, of the first. */
#include "abi.h"

#include <pthread.h>

static int how;

static void *other(void *) {
    if (how == 1)
        abi_call(exit, 9);
    if (how == 2)
        abi_call(exit_group, 8);
    if (how == 3)
        raise(SIGKILL);
    doze(30);
    abi_call(exit_group, 77);
    return NULL;
}

static void exits(void) {
    pthread_t thread;
    switch (how) {
    case 0:
        _exit(256 + 5);
    case 1:
    case 2:
    case 3:
        pthread_create(&thread, NULL, other, NULL);
        pthread_join(thread, NULL);
        _exit(10 + how);
    case 4: /* the first thread leaves, the second says how it all ended */
        pthread_create(&thread, NULL, other, NULL);
        abi_call(exit, 1);
    case 5:
        _exit(-1);
    case 6:
        abi_call(exit, 300);
    case 7:
        exit(1 << 16);
    }
}

static int which;

static void dies(void) {
    kill(getpid(), which);
    for (;;)
        pause();
}

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (how = 0; how < 8; how++)
        in_child("exits", exits);
    for (which = 1; which <= 64; which++)
        switch (which) {
        case SIGCHLD:
        case SIGCONT:
        case SIGURG:
        case SIGWINCH:
        case SIGSTOP:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
        case 32:
        case 33:
            break;
        default:
            say("%d", which);
            in_child("dies", dies);
        }
}
