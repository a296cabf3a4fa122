/*
 * Limits: how much processor time may be used. Takes a second or so for each of them.
 */
#include "say.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

static void limit(unsigned long now, unsigned long most) {
    struct rlimit wanted = {now, most};
    tell_success("setrlimit", setrlimit(RLIMIT_CPU, &wanted));
}

static void spin(void) {
    for (;;)
        ;
}

static void soft(void) {
    limit(1, 3);
    spin();
}

static void hard(void) {
    limit(1, 1);
    spin();
}

static void say_time(int signal, siginfo_t *info, void *context) {
    struct rlimit now;
    getrlimit(RLIMIT_CPU, &now);
    say("signal %d, code %d, limits %ld %ld", signal, info->si_code, (long)now.rlim_cur,
        (long)now.rlim_max);
}

static void each_second(void) {
    struct sigaction action = {.sa_sigaction = say_time, .sa_flags = SA_SIGINFO};
    sigaction(SIGXCPU, &action, NULL);
    limit(1, 3);
    spin();
}

static void *spin_in_thread(void *unused) {
    spin();
    return NULL;
}

static void by_all_threads(void) {
    pthread_t thread;
    for (int n = 0; n < 3; n++)
        pthread_create(&thread, NULL, spin_in_thread, NULL);
    limit(1, 2);
    pthread_exit(NULL);
}

static void of_a_child(void) {
    signal(SIGXCPU, SIG_IGN);
    limit(1, 2);
    signal(SIGXCPU, SIG_DFL);
    in_child("a child", spin);
}

static void set_by_another(void) {
    struct rlimit wanted = {1, 1};
    int status;
    pid_t child = fork();
    if (!child)
        spin();
    tell("prlimit", prlimit(child, RLIMIT_CPU, &wanted, NULL));
    waitpid(child, &status, 0);
    say_status("it", status);
}

static void taken_back(void) {
    limit(1, RLIM_INFINITY);
    limit(RLIM_INFINITY, RLIM_INFINITY);
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec < 2);
}

static void none_at_all(void) {
    struct rlimit wanted = {0, 2};
    setrlimit(RLIMIT_CPU, &wanted);
    spin();
}

static void across_exec(void) {
    limit(1, 2);
    execl("./program", "./program", "spin", NULL);
}

int main(int count, char **arguments) {
    if (count > 1)
        spin();
    in_child("soft", soft);
    in_child("hard", hard);
    in_child("each second", each_second);
    in_child("threads", by_all_threads);
    in_child("child", of_a_child);
    in_child("set by another", set_by_another);
    in_child("taken back", taken_back);
    in_child("none at all", none_at_all);
    in_child("across exec", across_exec);
    return 0;
}
