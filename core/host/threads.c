/*
 * Threads of the runtime on a Linux host, and who the calling thread is.
 *
 * A thread started here is the program's guest: it takes no signals, carries a name, and does not
 * keep the base register that it inherits from its creator. The record of a thread belongs to
 * whoever started it, until the join frees it.
 *
 * A thread's id is asked for once and kept; the child of a fork forgets it.
 *
 * Fails: spawn with NULL.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host.h"

struct k42_platform_thread {
    pthread_t thread;
    char name[16];
    void (*fn)(void *);
    void *argument;
};

static __thread uint32_t own_id __attribute__((tls_model("initial-exec")));

/* Here CPUs come and go with threads. */
uint32_t k42_platform_cpu_count(void) {
    return 0;
}

uint32_t k42_platform_thread_id(void) {
    if (!own_id)
        own_id = (uint32_t)gettid();
    return own_id;
}

void k42_host_forget_thread_id(void) {
    own_id = 0;
}

void k42_platform_thread_name(char name[16]) {
    if (prctl(PR_GET_NAME, name) < 0)
        name[0] = '\0';
}

static void *run_thread(void *argument) {
    struct k42_platform_thread *thread = argument;
    prctl(PR_SET_NAME, thread->name);
    (void)k42_platform_set_head(NULL); /* a foreign base it inherited is left alone */
    thread->fn(thread->argument);
    return NULL;
}

/* The mask is inherited at creation, so that there is no moment at which a signal could come. */
static int create_without_signals(struct k42_platform_thread *thread) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

struct k42_platform_thread *k42_platform_spawn(const char *name, void (*fn)(void *),
                                               void *argument) {
    struct k42_platform_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    thread->fn = fn;
    thread->argument = argument;
    snprintf(thread->name, sizeof(thread->name), "%s", name ? name : "k42");
    if (create_without_signals(thread) < 0) {
        free(thread);
        return NULL;
    }
    return thread;
}

void k42_platform_join(struct k42_platform_thread *thread) {
    pthread_join(thread->thread, NULL);
    free(thread);
}

/* A program's threads share: real-time priorities are the administrator's to give. */
void k42_platform_go_first(void) {
}
