/*
 * eventfd, timerfd and signalfd: what they read, refuse and are ready for.
 */
#include "say.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

static int ready(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLPRI, 0};
    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static void what_it_is(const char *name, int fd) {
    char link[64], target[64];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target);
    say("%s: %.*s flags %x on exec %d", name, (int)length, target, fcntl(fd, F_GETFL),
        fcntl(fd, F_GETFD));
    tell("fstat", fstat(fd, &status));
    say("mode %o links %d size %d", status.st_mode, (int)status.st_nlink, (int)status.st_size);
    tell("lseek", lseek(fd, 5, SEEK_SET));
    tell("ftruncate", ftruncate(fd, 5));
    tell("fsync", fsync(fd));
    tell("fallocate", fallocate(fd, 0, 0, 5));
    tell_success("mmap", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    tell("getdents", syscall(SYS_getdents64, fd, target, 64));
}

/* ---- eventfd ---- */

static uint64_t number;

static void add(int fd, uint64_t value) {
    tell("write", write(fd, &value, sizeof value));
}

static void take(int fd) {
    ssize_t result = read(fd, &number, sizeof number);
    if (result < 0)
        tell("read", result);
    else
        say("read: %ld, %lu", (long)result, number);
}

static int shared_fd;

static void *add_later(void *unused) {
    usleep(30000);
    uint64_t value = 7;
    if (write(shared_fd, &value, 8) != 8)
        say("later write failed");
    return unused;
}

static void *take_later(void *unused) {
    usleep(30000);
    uint64_t value;
    if (read(shared_fd, &value, 8) != 8)
        say("later read failed");
    return unused;
}

static void counters(void) {
    pthread_t thread;
    char text[64];
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    what_it_is("eventfd", fd);
    say("ready %x", ready(fd));
    take(fd);
    say("ready %x", ready(fd));
    take(fd);
    add(fd, 5);
    add(fd, 6);
    take(fd);
    add(fd, 0);
    say("ready %x", ready(fd));
    add(fd, ~0ul);
    add(fd, ~0ul - 1);
    say("ready %x", ready(fd));
    add(fd, 1);
    add(fd, 0);
    take(fd);
    tell("read short", read(fd, text, 7));
    tell("write short", write(fd, text, 7));
    add(fd, 9);
    tell("read long", read(fd, text, sizeof text));
    say("byte %d", text[0]);
    add(fd, 4);
    tell("read nowhere", read(fd, (void *)8, 8));
    tell("write nowhere", write(fd, (void *)8, 8));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE);
    take(fd);
    take(fd);
    say("ready %x", ready(fd));
    shared_fd = fd;
    pthread_create(&thread, NULL, add_later, NULL);
    take(fd);
    pthread_join(thread, NULL);
    struct pollfd one = {fd, POLLIN, 0};
    tell("poll", poll(&one, 1, -1));
    close(fd);
    shared_fd = fd = eventfd(0, 0);
    pthread_create(&thread, NULL, add_later, NULL);
    tell("poll until", poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1));
    pthread_join(thread, NULL);
    take(fd);
    add(fd, ~0ul - 1);
    pthread_create(&thread, NULL, take_later, NULL);
    add(fd, 3);
    pthread_join(thread, NULL);
    take(fd);
    tell("eventfd flags", eventfd(0, 4));
    tell("old eventfd", close(syscall(SYS_eventfd, 1)));
    if (fork() == 0) {
        number = 11;
        _exit(write(fd, &number, 8) != 8);
    }
    take(fd);
    wait(NULL);
    close(fd);
    tell("read closed", read(fd, &number, 8));
}

/* The sum of what many threads add is what many threads take. */
enum { ADDERS = 4, ROUNDS = 3000 };

static uint64_t taken_in_all;

static void *adder(void *unused) {
    uint64_t one = 1;
    for (int i = 0; i < ROUNDS; i++)
        if (write(shared_fd, &one, 8) != 8)
            say("write failed");
    return unused;
}

static void *taker(void *unused) {
    uint64_t value;
    while (__atomic_load_n(&taken_in_all, __ATOMIC_SEQ_CST) < ADDERS * ROUNDS &&
           poll(&(struct pollfd){shared_fd, POLLIN, 0}, 1, 50) >= 0)
        if (read(shared_fd, &value, 8) == 8)
            __atomic_add_fetch(&taken_in_all, value, __ATOMIC_SEQ_CST);
    return unused;
}

static void many(unsigned flags) {
    pthread_t adders[ADDERS], takers[ADDERS];
    taken_in_all = 0;
    shared_fd = eventfd(0, EFD_NONBLOCK | flags);
    for (int i = 0; i < ADDERS; i++) {
        pthread_create(&takers[i], NULL, taker, NULL);
        pthread_create(&adders[i], NULL, adder, NULL);
    }
    for (int i = 0; i < ADDERS; i++) {
        pthread_join(adders[i], NULL);
        pthread_join(takers[i], NULL);
    }
    say("all taken: %lu", taken_in_all);
    close(shared_fd);
}

/* ---- timerfd ---- */

static int set_timer(int fd, int flags, long first, long interval) {
    struct itimerspec times = {
        .it_value = {first / 1000000000, first % 1000000000},
        .it_interval = {interval / 1000000000, interval % 1000000000},
    };
    return timerfd_settime(fd, flags, &times, NULL);
}

static void look(int fd) {
    struct itimerspec times;
    tell("gettime", timerfd_gettime(fd, &times));
    say("set %d interval %ld.%09ld", times.it_value.tv_sec || times.it_value.tv_nsec,
        (long)times.it_interval.tv_sec, times.it_interval.tv_nsec);
}

static long now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000l + time.tv_nsec;
}

static void timers(void) {
    uint64_t count;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    what_it_is("timerfd", fd);
    take(fd);
    look(fd);
    say("ready %x", ready(fd));
    tell("write", write(fd, &count, 8));
    tell("read short", read(fd, &count, 4));
    tell("settime", set_timer(fd, 0, 10000000, 0));
    tell("poll", poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1));
    say("ready %x", ready(fd));
    take(fd);
    take(fd);
    look(fd);
    close(fd);

    fd = timerfd_create(CLOCK_MONOTONIC, 0);
    long begin = now(CLOCK_MONOTONIC);
    tell("interval", set_timer(fd, 0, 20000000, 10000000));
    look(fd);
    say("counted %d", read(fd, &count, 8) == 8 && count >= 1);
    usleep(35000);
    say("several %d", read(fd, &count, 8) == 8 && count >= 3);
    say("not before its time %d", now(CLOCK_MONOTONIC) - begin >= 50000000);
    tell("off", set_timer(fd, 0, 0, 5));
    look(fd);
    tell("until the past", set_timer(fd, TFD_TIMER_ABSTIME, 1, 0));
    take(fd);
    tell("until", set_timer(fd, TFD_TIMER_ABSTIME, now(CLOCK_MONOTONIC) + 20000000, 0));
    take(fd);
    tell("a nanosecond", set_timer(fd, 0, 1, 1));
    usleep(1000);
    say("very many %d", read(fd, &count, 8) == 8 && count > 1000);
    struct itimerspec before, after = {{100, 0}, {200, 0}};
    tell("settime", timerfd_settime(fd, 0, &after, &before));
    say("before: %ld", before.it_interval.tv_nsec);
    tell("settime", timerfd_settime(fd, 0, &after, &before));
    say("before: %ld %d", before.it_interval.tv_sec, before.it_value.tv_sec >= 199);
    after.it_value.tv_nsec = 1000000000;
    tell("wrong time", timerfd_settime(fd, 0, &after, NULL));
    after.it_value = (struct timespec){-1, 0};
    tell("negative time", timerfd_settime(fd, 0, &after, NULL));
    after.it_value = (struct timespec){1, 0};
    tell("wrong flags", timerfd_settime(fd, 4, &after, NULL));
    tell("nowhere", syscall(SYS_timerfd_settime, fd, 0, 8, 0));
    tell("no timer", timerfd_settime(0, 0, &after, NULL));
    tell("no file", timerfd_gettime(99, &after));
    tell("clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    tell("clock", timerfd_create(77, 0));
    tell("flags", timerfd_create(CLOCK_MONOTONIC, 1));
    close(fd);
}

static void *set_clock_later(void *ahead) {
    usleep(30000);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += (long)ahead;
    if (clock_settime(CLOCK_REALTIME, &time))
        say("clock cannot be set");
    return NULL;
}

/* Only where the clock may be set. */
static void clock_changes(void) {
    pthread_t thread;
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    tell("cancels", set_timer(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                              now(CLOCK_REALTIME) + 1000000000000, 0));
    pthread_create(&thread, NULL, set_clock_later, (void *)1l);
    take(fd);
    pthread_join(thread, NULL);
    tell("far", set_timer(fd, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME) + 1000000000000, 0));
    pthread_create(&thread, NULL, set_clock_later, (void *)2000l);
    take(fd);
    pthread_join(thread, NULL);
    tell("set in vain", set_timer(fd, TFD_TIMER_CANCEL_ON_SET, 1000000, 0));
    take(fd);
    set_clock_later((void *)-2001l);
    close(fd);
}

/* ---- signalfd ---- */

static void print_signal(int fd) {
    struct signalfd_siginfo info;
    ssize_t result = read(fd, &info, sizeof info);
    if (result != sizeof info)
        return tell("read", result);
    say("signal %d code %d own %d uid %d int %d status %d", info.ssi_signo, info.ssi_code,
        (int)info.ssi_pid == getpid(), info.ssi_uid, info.ssi_int, info.ssi_status);
}

static void *kill_later(void *unused) {
    usleep(30000);
    kill(getpid(), SIGUSR2);
    return unused;
}

static void signals(void) {
    struct signalfd_siginfo infos[4];
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    what_it_is("signalfd", fd);
    print_signal(fd);
    say("ready %x", ready(fd));
    tell("write", write(fd, infos, 8));
    tell("short", read(fd, infos, 127));
    kill(getpid(), SIGUSR1);
    say("ready %x", ready(fd));
    print_signal(fd);
    raise(SIGUSR2);
    print_signal(fd);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 43});
    kill(getpid(), SIGUSR1);
    tell("three", read(fd, infos, sizeof infos));
    say("%d %d %d", infos[0].ssi_signo, infos[1].ssi_int, infos[2].ssi_int);
    if (fork() == 0)
        _exit(3);
    tell("poll", poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1));
    tell("read", read(fd, infos, sizeof infos));
    say("child %d code %d status %d", infos[0].ssi_signo, infos[0].ssi_code, infos[0].ssi_status);
    wait(NULL);
    fcntl(fd, F_SETFL, 0);
    pthread_create(&thread, NULL, kill_later, NULL);
    print_signal(fd);
    pthread_join(thread, NULL);
    sigdelset(&set, SIGUSR1);
    tell_success("changed", signalfd(fd, &set, 0));
    kill(getpid(), SIGUSR1);
    say("ready %x", ready(fd));
    kill(getpid(), SIGUSR2);
    print_signal(fd);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    tell_success("changed", signalfd(fd, &set, 0));
    tell("nowhere", read(fd, (void *)8, 128));
    kill(getpid(), SIGUSR1);
    print_signal(fd);
    tell("no signalfd", signalfd(0, &set, 0));
    tell("no file", signalfd(99, &set, 0));
    tell("size", syscall(SYS_signalfd4, -1, &set, 4, 0));
    tell("flags", syscall(SYS_signalfd4, -1, &set, 8, 1));
    tell("set nowhere", syscall(SYS_signalfd4, -1, 8, 8, 0));
    tell_success("old", syscall(SYS_signalfd, -1, &set, 8));
    close(fd);
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        clock_changes();
        return 0;
    }
    counters();
    many(0);
    many(EFD_SEMAPHORE);
    timers();
    signals();
    return 0;
}
