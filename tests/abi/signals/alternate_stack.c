/* sigaltstack: when it is used, asked for, changed, disarmed; over fork, threads and exec. */
#include "abi.h"

#include <pthread.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char *stack, *here;
static stack_t seen;

static int on_it(void *at) {
    return (char *)at >= stack && (char *)at < stack + 65536;
}

static void handler(int signal) {
    int local;
    stack_t other = {.ss_sp = stack, .ss_size = 65536}, off = {.ss_flags = SS_DISABLE};
    gives(0, sigaltstack, NULL, &seen);
    say("signal %d: on it %d, flags %x", signal, on_it(&local), seen.ss_flags);
    if (on_it(&local)) {
        fails(EPERM, sigaltstack, &other, NULL);
        fails(EPERM, sigaltstack, &off, NULL);
    }
    if (signal == SIGUSR1)
        kill(getpid(), SIGUSR2); /* stays on the same stack */
}

static void disarming(int signal) {
    int local;
    gives(0, sigaltstack, NULL, &seen);
    say("disarmed: on it %d, flags %x", on_it(&local), seen.ss_flags);
}

static void child(void) {
    gives(0, sigaltstack, NULL, &seen);
    is("kept", seen.ss_sp == stack, 1);
    kill(getpid(), SIGUSR1);
}

static void *thread(void *) {
    gives(0, sigaltstack, NULL, &seen);
    is("a thread has none", seen.ss_flags, SS_DISABLE);
    return NULL;
}

int main(void) {
    stack = pages(16);
    gives(0, sigaltstack, NULL, &seen);
    say("at first: flags %x, size %ld", seen.ss_flags, (long)seen.ss_size);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    kill(getpid(), SIGUSR1);
    stack_t mine = {.ss_sp = stack, .ss_size = 65536};
    gives(0, sigaltstack, &mine, &seen);
    gives(0, sigaltstack, NULL, &seen);
    say("flags %x, size %ld", seen.ss_flags, (long)seen.ss_size);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    in_child("fork", child);
    pthread_t other;
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    stack_t small = {.ss_sp = stack, .ss_size = 100};
    fails(ENOMEM, sigaltstack, &small, NULL);
    stack_t odd = {.ss_sp = stack, .ss_size = 65536, .ss_flags = 64};
    fails(EINVAL, sigaltstack, &odd, NULL);
    odd.ss_flags = SS_ONSTACK;
    gives(0, sigaltstack, &odd, NULL);
    gives(0, sigaltstack, NULL, &seen);
    say("flags %x", seen.ss_flags);
    fails(EFAULT, sigaltstack, BAD, NULL);
    fails(EFAULT, sigaltstack, NULL, BAD);
    mine.ss_flags = SS_AUTODISARM;
    gives(0, sigaltstack, &mine, NULL);
    action.sa_handler = disarming;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    gives(0, sigaltstack, NULL, &seen);
    say("armed again: flags %x", (unsigned)seen.ss_flags);
    stack_t off = {.ss_sp = BAD, .ss_flags = SS_DISABLE, .ss_size = 7};
    gives(0, sigaltstack, &off, NULL);
    gives(0, sigaltstack, NULL, &seen);
    say("off: flags %x, size %ld", seen.ss_flags, (long)seen.ss_size);
}
