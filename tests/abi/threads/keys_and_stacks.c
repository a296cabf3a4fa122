/* Each thread has its own stack, signal mask and alternate stack; a handler runs on it. */
#include "abi.h"

#include <pthread.h>

static char *low;
static volatile int on_it;

static void handler(int signal) {
    char here;
    on_it = &here >= low && &here < low + 8 * 4096;
}

static void *thread(void *unused) {
    stack_t now;
    gives(0, sigaltstack, NULL, &now);
    is("none", now.ss_flags, SS_DISABLE);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return NULL;
}

int main(void) {
    pthread_t one;
    stack_t stack = {.ss_sp = pages(8), .ss_size = 8 * 4096}, now;
    gives(0, sigaltstack, &stack, NULL);
    pthread_create(&one, NULL, thread, NULL);
    pthread_join(one, NULL);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    low = stack.ss_sp;
    raise(SIGUSR1);
    is("on it", on_it, 1);
    gives(0, sigaltstack, NULL, &now);
    is("its own", now.ss_sp == stack.ss_sp, 1);
}
