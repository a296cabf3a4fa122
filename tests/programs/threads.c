/*
 * Threads: made, joined, ended together, alone after execve, and their own signals. As
 * `threads until FILE`: threads that wake each other until there is that file.
 */
#include "say.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>

static atomic_int started, sum;
static __thread int own = 5;

static void *add(void *argument) {
    own += (int)(long)argument;
    sum += own;
    started++;
    return (void *)(long)own;
}

static void joining(void) {
    pthread_t threads[16];
    long results = 0;
    for (long i = 0; i < 16; i++)
        if (pthread_create(&threads[i], NULL, add, (void *)i))
            say("pthread_create failed");
    for (int i = 0; i < 16; i++) {
        void *result;
        pthread_join(threads[i], &result);
        results += (long)result;
    }
    say("joined: %d started, sum %d, results %ld, own %d", started, sum, results, own);
    for (int round = 0; round < 200; round++) {
        pthread_create(&threads[0], NULL, add, NULL);
        pthread_join(threads[0], NULL);
    }
    say("one after the other: %d", started);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int counter, turn;

static void *count(void *argument) {
    (void)argument;
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *alternate(void *argument) {
    int self = (int)(long)argument;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != self)
            pthread_cond_wait(&condition, &mutex);
        turn = !self;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void locking(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    say("counted %d", counter);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, alternate, (void *)i);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("took turns");
}

static void *sleep_for_ever(void *argument) {
    (void)argument;
    for (;;)
        pause();
}

static void *spin(void *argument) {
    (void)argument;
    for (;;)
        __asm__ volatile("pause");
}

static void start_some(void) {
    pthread_t thread;
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
        pthread_create(&thread, NULL, spin, NULL);
    }
}

static void exit_with_threads(void) {
    start_some();
    exit(12);
}

static void crash_with_threads(void) {
    start_some();
    *(volatile int *)8 = 1;
}

static void *end_process(void *argument) {
    (void)argument;
    syscall(SYS_exit_group, 21);
    return NULL;
}

static void exit_from_thread(void) {
    pthread_t thread;
    start_some();
    pthread_create(&thread, NULL, end_process, NULL);
    for (;;)
        pause();
}

static void *end_later(void *argument) {
    (void)argument;
    usleep(30000);
    syscall(SYS_exit, 9);
    return NULL;
}

static void first_thread_ends(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, end_later, NULL);
    syscall(SYS_exit, 33); /* not what the process ends with: another one is last */
}

static char self_path[256];

static void *exec_now(void *argument) {
    (void)argument;
    execl(self_path, "threads", "alone", NULL);
    _exit(1);
}

static void exec_from_thread(void) {
    pthread_t thread;
    start_some();
    pthread_create(&thread, NULL, exec_now, NULL);
    for (;;)
        pause();
}

static void endings(void) {
    in_child("exit", exit_with_threads);
    in_child("crash", crash_with_threads);
    in_child("exit_group", exit_from_thread);
    in_child("first thread ends", first_thread_ends);
    in_child("exec", exec_from_thread);
}

static pthread_t receiver;
static atomic_int received, ready;
static sem_t gate;
static void on_signal(int signal) {
    (void)signal;
    received += pthread_equal(pthread_self(), receiver) ? 1 : 100;
}

static void *receive(void *argument) {
    (void)argument;
    ready = 1;
    while (sem_wait(&gate) && errno == EINTR)
        ;
    return NULL;
}

static void own_signals(void) {
    signal(SIGUSR1, on_signal);
    sem_init(&gate, 0, 0);
    pthread_create(&receiver, NULL, receive, NULL);
    while (!ready)
        usleep(1000);
    pthread_kill(receiver, SIGUSR1);
    while (!received)
        usleep(1000);
    say("its own signal: %d", received);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    received = 0;
    kill(getpid(), SIGUSR1);
    while (!received)
        usleep(1000);
    say("whoever does not block it: %d", received);
    sem_post(&gate);
    pthread_join(receiver, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void cancelling(void) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, sleep_for_ever, NULL);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    say("cancelled: %d", result == PTHREAD_CANCELED);
}

static void *fork_in_thread(void *argument) {
    int status;
    (void)argument;
    pid_t child = fork();
    if (child == 0)
        _exit((int)syscall(SYS_gettid) == getpid() ? 8 : 1);
    waitpid(child, &status, 0);
    say_status("fork in a thread", status);
    return NULL;
}

/* Two threads hand a turn to each other until there is a file. */
static void *take_turns_until(void *argument) {
    int self = (int)(long)argument;
    for (bool over = false; !over;) {
        pthread_mutex_lock(&mutex);
        while (turn != self && turn != 2)
            pthread_cond_wait(&condition, &mutex);
        over = turn == 2 || !access(self_path, F_OK);
        turn = over ? 2 : !self;
        counter++;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static int turns_until(const char *file) {
    pthread_t threads[2];
    strncpy(self_path, file, sizeof self_path - 1);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, take_turns_until, (void *)i);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return counter < 2;
}

int main(int count, char **arguments) {
    if (count > 2)
        return turns_until(arguments[2]);
    if (count > 1) {
        say("%s: tid is pid %d", arguments[1], (int)syscall(SYS_gettid) == getpid());
        return 6;
    }
    if (readlink("/proc/self/exe", self_path, sizeof self_path - 1) < 0)
        strcpy(self_path, "/threads");
    joining();
    locking();
    endings();
    own_signals();
    cancelling();
    pthread_t thread;
    pthread_create(&thread, NULL, fork_in_thread, NULL);
    pthread_join(thread, NULL);
    say("tgkill of nobody: %d", (int)syscall(SYS_tgkill, getpid(), 30000, 0) < 0);
    return 0;
}
