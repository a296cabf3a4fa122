/*
 * Waiting: poll and select, futexes and the threads above them, clocks and sleeps, policies.
 */
#include "say.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define MS 1000000l

static int64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000l + now.tv_nsec;
}

static void on_alarm(int signal) {
    (void)signal;
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

/* A child that sends us a signal again and again, until it is killed. */
static pid_t pester(int signal) {
    pid_t parent = getpid(), child = fork();
    if (child)
        return child;
    while (getppid() == parent) {
        usleep(20000);
        kill(parent, signal);
    }
    _exit(0);
}

static void calm(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* ---- poll and select ---- */

static int ends[2];

static void *write_later(void *unused) {
    (void)unused;
    usleep(30000);
    if (write(ends[1], "x", 1) != 1)
        say("write failed");
    return NULL;
}

static void polling(void) {
    pthread_t writer;
    char byte;
    if (pipe(ends))
        say("no pipe");
    struct pollfd files[3] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 9}};
    tell("poll", poll(files, 3, 0));
    say("revents %x %x %x", files[0].revents, files[1].revents, files[2].revents);
    tell("poll none", poll(files, 1, 0));
    tell("poll short", poll(files, 1, 20));
    pthread_create(&writer, NULL, write_later, NULL);
    tell("poll until written", poll(files, 1, -1));
    say("revents %x", files[0].revents);
    pthread_join(writer, NULL);
    tell("read", read(ends[0], &byte, 1));

    struct pollfd many[40];
    for (int i = 0; i < 40; i++)
        many[i] = (struct pollfd){ends[0], POLLIN | POLLRDNORM, 0};
    pthread_create(&writer, NULL, write_later, NULL);
    tell("poll many", poll(many, 40, 10000));
    say("revents %x %x", many[0].revents, many[39].revents);
    pthread_join(writer, NULL);
    tell("read", read(ends[0], &byte, 1));

    files[0].fd = 99;
    tell("poll bad", poll(files, 1, 1000));
    say("revents %x", files[0].revents);
    tell("poll too many", syscall(SYS_poll, files, 1u << 30, 0));
    tell("poll nowhere", syscall(SYS_poll, 8, 1, 0));
    handle(SIGUSR1, SA_RESTART);
    files[0].fd = ends[0];
    pid_t child = pester(SIGUSR1);
    tell("poll interrupted", poll(files, 1, -1));
    struct timespec time = {10, 0};
    sigset_t none;
    sigemptyset(&none);
    tell("ppoll interrupted", ppoll(files, 1, &time, &none));
    calm(child);
    close(ends[1]);
    tell("poll hung up", poll(files, 1, -1));
    say("revents %x", files[0].revents);
    close(ends[0]);
}

static void selecting(void) {
    fd_set readable, writable;
    pthread_t writer;
    if (pipe(ends))
        say("no pipe");
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(ends[0], &readable);
    FD_SET(ends[1], &writable);
    tell("select", select(ends[1] + 1, &readable, &writable, NULL, NULL));
    say("in: %d %d", FD_ISSET(ends[0], &readable), FD_ISSET(ends[1], &writable));
    FD_SET(ends[0], &readable);
    pthread_create(&writer, NULL, write_later, NULL);
    struct timeval time = {100, 0};
    tell("select until written", select(ends[1] + 1, &readable, NULL, NULL, &time));
    say("left: %d", time.tv_sec > 50 && time.tv_sec < 100);
    pthread_join(writer, NULL);
    char byte;
    tell("read", read(ends[0], &byte, 1));
    time = (struct timeval){0, 10000};
    tell("select in vain", select(ends[1] + 1, &readable, NULL, NULL, &time));
    say("left: %ld %ld in: %d", time.tv_sec, time.tv_usec, FD_ISSET(ends[0], &readable));
    FD_SET(ends[0], &readable);
    time = (struct timeval){0, -1};
    tell("select wrong", select(ends[1] + 1, &readable, NULL, NULL, &time));
    tell("select negative", select(-1, NULL, NULL, NULL, NULL));
    FD_ZERO(&readable);
    FD_SET(50, &readable);
    tell("select bad", select(51, &readable, NULL, NULL, NULL));
    close(ends[1]);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    tell("select hung up", select(ends[0] + 1, &readable, NULL, NULL, NULL));
    time = (struct timeval){0, 1000};
    tell("select exceptions", select(ends[0] + 1, NULL, NULL, &readable, &time));
    close(ends[0]);
}

/* ---- futexes ---- */

static uint32_t word;

static long futex(uint32_t *at, int operation, uint32_t value, const void *time, uint32_t *other,
                  uint32_t value3) {
    return syscall(SYS_futex, at, operation, value, time, other, value3);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turns;

static void *take_turns(void *argument) {
    long own = (long)argument;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turns % 4 != own)
            pthread_cond_wait(&condition, &mutex);
        turns++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *wait_for_word(void *unused) {
    (void)unused;
    return (void *)futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 6);
}

static uint32_t second_word;

static void futexes(void) {
    struct timespec time = {0, 5 * MS};
    tell("other value", futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    tell("time over", futex(&word, FUTEX_WAIT, 0, &time, NULL, 0));
    tell("until", futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, NULL, 1));
    tell("no bits", futex(&word, FUTEX_WAIT_BITSET, 0, &time, NULL, 0));
    tell("odd", futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 0, &time, NULL, 0));
    tell("nowhere", futex((uint32_t *)16, FUTEX_WAIT, 0, &time, NULL, 0));
    tell("wrong time", futex(&word, FUTEX_WAIT, 0, &(struct timespec){0, -1}, NULL, 0));
    tell("nobody", futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    tell("unknown", futex(&word, 77, 1, NULL, NULL, 0));
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, wait_for_word, NULL);
    /* Who is moved to where he waits is counted: all four. */
    while (futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9, &word, 0) < 4)
        usleep(1000);
    tell("other bits", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 1));
    tell("requeue", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &second_word, 0));
    tell("requeue wrong", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &second_word, 5));
    tell("wake second", futex(&second_word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2));
    tell("wake op", futex(&second_word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)5, &word,
                          (uint32_t)FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
    say("word %u", word);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);

    for (long i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, take_turns, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    say("turns %d", turns);
}

/* A mutex that its owner dies with, between processes. */
static void robust(void) {
    struct shared {
        pthread_mutex_t mutex;
        sem_t semaphore;
    } * shared;
    int file = open("/tmp/waiting.shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, 4096) < 0)
        say("no file to share");
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    unlink("/tmp/waiting.shared");
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &attributes);
    sem_init(&shared->semaphore, 1, 0);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(&shared->mutex);
        sem_post(&shared->semaphore);
        usleep(30000);
        _exit(0);
    }
    sem_wait(&shared->semaphore);
    say("owner died: %d", pthread_mutex_lock(&shared->mutex) == EOWNERDEAD);
    say("consistent: %d", pthread_mutex_consistent(&shared->mutex));
    pthread_mutex_unlock(&shared->mutex);
    waitpid(child, NULL, 0);
}

/* ---- alarms ---- */

static volatile sig_atomic_t alarms;
static volatile int alarm_value, alarm_code;

static void on_time(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    alarms++;
    alarm_value = info->si_value.sival_int;
    alarm_code = info->si_code;
}

static void wait_for_alarms(int wanted) {
    while (alarms < wanted)
        usleep(1000);
    alarms = 0;
}

static void use_time_until(int wanted) {
    while (alarms < wanted)
        for (volatile int i = 0; i < 10000; i++)
            ;
    alarms = 0;
}

static void interval_timers(void) {
    struct sigaction action = {.sa_sigaction = on_time, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct itimerval set = {{0, 20000}, {0, 20000}}, old;
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGVTALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    tell("alarm", alarm(100));
    unsigned left = alarm(0);
    say("left: %d", left > 50 && left <= 100);
    tell("setitimer", setitimer(ITIMER_REAL, &set, NULL));
    wait_for_alarms(3);
    set = (struct itimerval){{0, 0}, {0, 0}};
    tell("setitimer off", setitimer(ITIMER_REAL, &set, &old));
    say("interval %ld %ld", old.it_interval.tv_sec, old.it_interval.tv_usec);
    say("counts: %d", old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 20000);
    tell("getitimer", getitimer(ITIMER_REAL, &old));
    say("off: %d", !old.it_value.tv_usec && !old.it_value.tv_sec);
    alarms = 0;
    usleep(50000);
    say("none came: %d", alarms == 0);
    set = (struct itimerval){{0, 0}, {0, 30000}};
    tell("virtual", setitimer(ITIMER_VIRTUAL, &set, NULL));
    use_time_until(1);
    tell("profile", setitimer(ITIMER_PROF, &set, NULL));
    use_time_until(1);
    say("code %d", alarm_code);
    tell("no such", setitimer((enum __itimer_which)7, &set, NULL));
    tell("wrong", setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000000}}, NULL));
    alarm(100);
    pid_t child = fork();
    if (!child)
        _exit(alarm(0) != 0);
    int status;
    waitpid(child, &status, 0);
    say_status("a child has no alarm", status);
    set = (struct itimerval){{0, 20000}, {0, 20000}}; /* again and again, for who sleeps late */
    tell("in place of it", setitimer(ITIMER_REAL, &set, &old));
    say("left: %d", old.it_value.tv_sec > 50 && old.it_value.tv_sec < 100);
    tell("pause", pause());
}

static void made_timers(void) {
    struct sigaction action = {.sa_sigaction = on_time, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec set = {{0, 10 * MS}, {0, 10 * MS}}, old;
    timer_t timer, other;
    sigaction(SIGRTMIN, &action, NULL);
    event.sigev_value.sival_int = 77;
    tell("create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    tell("set", timer_settime(timer, 0, &set, NULL));
    wait_for_alarms(4);
    say("value %d code %d", alarm_value, alarm_code);
    tell("overrun", timer_getoverrun(timer) < 0 ? -1 : 0);
    tell("get", timer_gettime(timer, &old));
    say("interval %ld", old.it_interval.tv_nsec);
    set = (struct itimerspec){{0, 0}, {0, 0}};
    tell("off", timer_settime(timer, 0, &set, NULL));
    int64_t when = now_ns(CLOCK_REALTIME) + 20 * MS;
    event.sigev_value.sival_int = 78;
    tell("create", timer_create(CLOCK_REALTIME, &event, &other));
    set.it_value = (struct timespec){when / 1000000000, when % 1000000000};
    alarms = 0;
    tell("set until", timer_settime(other, TIMER_ABSTIME, &set, NULL));
    wait_for_alarms(1);
    say("value %d late: %d", alarm_value, now_ns(CLOCK_REALTIME) >= when);
    tell("delete", timer_delete(other));
    tell("delete", timer_delete(timer));
    tell("delete again", syscall(SYS_timer_delete, 0));
    tell("no clock", timer_create(77, &event, &other));
    event.sigev_signo = 99;
    tell("no signal", timer_create(CLOCK_MONOTONIC, &event, &other));
    event = (struct sigevent){.sigev_notify = SIGEV_NONE};
    tell("silent", timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer));
    set.it_value = (struct timespec){100, 0};
    tell("set", timer_settime(timer, 0, &set, NULL));
    tell("get", timer_gettime(timer, &old));
    say("left: %d", old.it_value.tv_sec > 50 && old.it_value.tv_sec <= 100);
}

/* ---- clocks ---- */

static void clocks(void) {
    static const clockid_t all[] = {
        CLOCK_REALTIME,         CLOCK_MONOTONIC,         CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_MONOTONIC_RAW,    CLOCK_THREAD_CPUTIME_ID, CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,          CLOCK_TAI};
    struct timespec at, left;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        int64_t before = now_ns(all[i]);
        usleep(1000);
        say("clock %d: %d", (int)all[i], before >= 0 && now_ns(all[i]) >= before);
    }
    tell("no clock", syscall(SYS_clock_gettime, 55, &at));
    tell("resolution", clock_getres(CLOCK_MONOTONIC, &at));
    say("of %ld %ld", at.tv_sec, at.tv_nsec);
    say("this century: %d", now_ns(CLOCK_REALTIME) > 1600000000l * 1000000000l);
    time_t first = time(NULL);
    struct timeval day;
    gettimeofday(&day, NULL);
    say("the same: %d", labs(day.tv_sec - (now_ns(CLOCK_REALTIME) / 1000000000l)) <= 50 &&
                            day.tv_sec - first <= 50);
    int64_t begin = now_ns(CLOCK_MONOTONIC);
    tell("nanosleep", nanosleep(&(struct timespec){0, 20 * MS}, NULL));
    say("slept: %d", now_ns(CLOCK_MONOTONIC) - begin >= 20 * MS);
    tell("nanosleep wrong", nanosleep(&(struct timespec){0, 1000000000}, NULL));
    begin = now_ns(CLOCK_REALTIME) + 20 * MS;
    at = (struct timespec){begin / 1000000000, begin % 1000000000};
    tell("until", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL));
    say("slept: %d", now_ns(CLOCK_REALTIME) >= begin);
    say("past: %d",
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 1}, NULL));
    say("thread's: %d", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &at, NULL));
    handle(SIGUSR1, SA_RESTART);
    pid_t child = pester(SIGUSR1);
    tell("nanosleep interrupted", nanosleep(&(struct timespec){100, 0}, &left));
    say("left: %d", left.tv_sec > 50 && left.tv_sec < 100);
    handle(SIGUSR2, 0);
    signal(SIGUSR1, SIG_IGN);
    begin = now_ns(CLOCK_MONOTONIC);
    tell("nanosleep, ignored", nanosleep(&(struct timespec){0, 80 * MS}, &left));
    say("slept: %d", now_ns(CLOCK_MONOTONIC) - begin >= 80 * MS);
    calm(child);
    tell("settime", clock_settime(CLOCK_MONOTONIC, &at));
}

/* ---- policies ---- */

static void policies(void) {
    struct sched_param parameter = {0};
    cpu_set_t cpus;
    tell("policy", sched_getscheduler(0));
    tell("most", sched_get_priority_max(SCHED_FIFO));
    tell("least", sched_get_priority_min(SCHED_RR));
    tell("none", sched_get_priority_max(99));
    tell("no such", sched_getscheduler(99999));
    parameter.sched_priority = 5;
    tell("other with priority", sched_setscheduler(0, SCHED_OTHER, &parameter));
    tell("fifo", sched_setscheduler(0, SCHED_FIFO, &parameter));
    tell("policy", sched_getscheduler(0));
    parameter.sched_priority = 0;
    tell("param", sched_getparam(0, &parameter));
    say("priority %d", parameter.sched_priority);
    parameter.sched_priority = 0;
    tell("batch", sched_setscheduler(0, SCHED_BATCH, &parameter));
    tell("policy", sched_getscheduler(0));
    tell("other", sched_setscheduler(0, SCHED_OTHER, &parameter));
    tell("yield", sched_yield());
    errno = 0;
    tell("priority", getpriority(PRIO_PROCESS, 0));
    tell("nice", setpriority(PRIO_PROCESS, 0, 7));
    tell("priority", getpriority(PRIO_PROCESS, 0));
    tell("nice again", setpriority(PRIO_PROCESS, 0, 100));
    tell("priority", getpriority(PRIO_PROCESS, 0));
    tell("nobody", getpriority(PRIO_PROCESS, 99999));
    tell("nothing", getpriority(17, 0));
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    tell("affinity", sched_setaffinity(0, sizeof cpus, &cpus));
    say("on cpu %d", sched_getcpu());
    CPU_ZERO(&cpus);
    tell("get affinity", sched_getaffinity(0, sizeof cpus, &cpus));
    say("cpus %d", CPU_COUNT(&cpus));
    CPU_ZERO(&cpus);
    tell("no cpus", sched_setaffinity(0, sizeof cpus, &cpus));
}

int main(void) {
    in_child("polling", polling);
    in_child("selecting", selecting);
    in_child("futexes", futexes);
    in_child("robust", robust);
    in_child("interval timers", interval_timers);
    in_child("made timers", made_timers);
    in_child("clocks", clocks);
    in_child("policies", policies);
    if (getpid() == 1)
        sleep(1); /* the machine ends with its first program; let the console have the last line */
    return 0;
}
