/*
 * epoll: what is told of, when, to whom and in which words.
 */
#include "say.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

static int set;

static int control(int operation, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)fd << 32 | 77};
    return epoll_ctl(set, operation, fd, &event);
}

static int by_number(const void *a, const void *b) {
    const struct epoll_event *left = a, *right = b;
    return (left->data.u64 > right->data.u64) - (left->data.u64 < right->data.u64);
}

/* What is ready, by descriptor, which the first one is counted from. */
static int base;

static void show_within(const char *what, int most, int milliseconds) {
    struct epoll_event events[16];
    char line[256];
    int count = epoll_wait(set, events, most, milliseconds), at = 0;
    if (count < 0)
        return tell(what, count);
    qsort(events, (size_t)count, sizeof *events, by_number);
    for (int i = 0; i < count; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, " %d:%x",
                       (int)(events[i].data.u64 >> 32) - base, events[i].events);
    line[at] = 0;
    say("%s: %d%s", what, count, line);
}

static void show(const char *what) {
    show_within(what, 16, 0);
}

static void put(int fd) {
    if (write(fd, "x", 1) != 1)
        say("write failed");
}

static void get(int fd) {
    char byte;
    if (read(fd, &byte, 1) != 1)
        say("read failed");
}

static void levels_and_edges(void) {
    int ends[2], other[2];
    set = epoll_create1(EPOLL_CLOEXEC);
    pipe(ends);
    pipe(other);
    base = ends[0];
    tell("add", control(EPOLL_CTL_ADD, ends[0], EPOLLIN));
    show("nothing");
    put(ends[1]);
    show("level");
    show("level");
    show_within("level, waiting", 16, -1);
    get(ends[0]);
    show("nothing");
    tell("to edge", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET));
    show("nothing");
    put(ends[1]);
    show("edge");
    show("nothing");
    put(ends[1]);
    show("edge again");
    show("nothing");
    tell("changed", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET));
    show("edge by change");
    get(ends[0]);
    get(ends[0]);
    show("nothing");
    tell("once", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT));
    put(ends[1]);
    show("once");
    show("nothing");
    put(ends[1]);
    show("nothing");
    tell("once more", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT));
    show("once more");
    show("nothing");
    tell("add writer", control(EPOLL_CTL_ADD, ends[1], EPOLLOUT));
    show("writer");
    tell("nothing wanted", control(EPOLL_CTL_MOD, ends[1], 0));
    show("nothing");
    tell("normal", control(EPOLL_CTL_MOD, ends[0], EPOLLRDNORM | EPOLLIN | EPOLLPRI));
    show("normal");
    close(ends[0]);
    show("broken");
    tell("add other", control(EPOLL_CTL_ADD, other[0], EPOLLIN | EPOLLRDHUP));
    close(other[1]);
    show("hung up");
    tell("remove", control(EPOLL_CTL_DEL, other[0], 0));
    show("broken");
    close(ends[1]);
    show("nothing");
    close(other[0]);
    close(set);
}

static void errors(void) {
    int ends[2], file = open("/proc/self/exe", O_RDONLY), folder = open("/", O_RDONLY);
    struct epoll_event events[2];
    set = epoll_create(1);
    pipe(ends);
    tell("size 0", epoll_create(0));
    tell("flags", epoll_create1(1));
    tell("add file", control(EPOLL_CTL_ADD, file, EPOLLIN));
    tell("add folder", control(EPOLL_CTL_ADD, folder, EPOLLIN));
    tell("add null", control(EPOLL_CTL_ADD, open("/dev/null", O_RDWR), EPOLLIN));
    tell("add zero", control(EPOLL_CTL_ADD, open("/dev/zero", O_RDWR), EPOLLIN));
    tell("add none", control(EPOLL_CTL_ADD, 99, EPOLLIN));
    tell("add itself", control(EPOLL_CTL_ADD, set, EPOLLIN));
    tell("add", control(EPOLL_CTL_ADD, ends[0], EPOLLIN));
    tell("add again", control(EPOLL_CTL_ADD, ends[0], EPOLLIN));
    tell("change absent", control(EPOLL_CTL_MOD, ends[1], EPOLLIN));
    tell("remove absent", control(EPOLL_CTL_DEL, ends[1], EPOLLIN));
    tell("remove without event", epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL));
    tell("add nowhere", syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, ends[0], 8));
    tell("no such operation", control(99, ends[0], EPOLLIN));
    tell("not a set", epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], events));
    tell("no set", epoll_ctl(99, EPOLL_CTL_ADD, ends[1], events));
    tell("wait none", epoll_wait(99, events, 2, 0));
    tell("wait no set", epoll_wait(ends[0], events, 2, 0));
    tell("wait for 0", epoll_wait(set, events, 0, 0));
    tell("wait for -1", epoll_wait(set, events, -1, 0));
    tell("wait for many", epoll_wait(set, events, 0x7fffffff, 0));
    tell("wait in the kernel", syscall(SYS_epoll_wait, set, 0xffffffff80000000ul, 1, 0));
    tell("add", control(EPOLL_CTL_ADD, ends[0], EPOLLIN));
    put(ends[1]);
    tell("wait nowhere", syscall(SYS_epoll_wait, set, 8, 1, 0));
    tell("wait", epoll_wait(set, events, 2, 0));
    tell("read", read(set, events, 1));
    tell("write", write(set, events, 1));
    tell("exclusive change", control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLEXCLUSIVE));
    tell("exclusive wrong",
         control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT));
    tell("exclusive", control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE));
    tell("change exclusive", control(EPOLL_CTL_MOD, ends[1], EPOLLOUT));
    tell("wait", epoll_wait(set, events, 2, 0));
    sigset_t mask;
    sigemptyset(&mask);
    struct timespec time = {0, 1000000000};
    tell("mask size", syscall(SYS_epoll_pwait, set, events, 2, 0, &mask, 4));
    tell("mask nowhere", syscall(SYS_epoll_pwait, set, events, 2, 0, 8, 8));
    tell("time", syscall(SYS_epoll_pwait2, set, events, 2, &time, NULL, 8));
    tell("time nowhere", syscall(SYS_epoll_pwait2, set, events, 2, 8, NULL, 8));
    time = (struct timespec){0, 0};
    tell("pwait2", syscall(SYS_epoll_pwait2, set, events, 2, &time, &mask, 8));
    close(ends[0]), close(ends[1]), close(set), close(file), close(folder);
}

/* ---- closed, doubled and inherited descriptors ---- */

static void descriptors(void) {
    int ends[2], second;
    set = epoll_create1(0);
    pipe(ends);
    base = ends[0];
    second = dup(ends[0]);
    tell("add", control(EPOLL_CTL_ADD, ends[0], EPOLLIN));
    tell("add the other", control(EPOLL_CTL_ADD, second, EPOLLIN));
    put(ends[1]);
    show("both");
    close(ends[0]);
    show("both, one closed");
    tell("remove closed", control(EPOLL_CTL_DEL, ends[0], 0));
    int again = dup2(second, ends[0]);
    tell("add as before", control(EPOLL_CTL_ADD, again, EPOLLIN));
    close(again);
    close(second);
    show("all closed");
    int fresh[2];
    pipe(fresh);
    base = fresh[0];
    tell("add one of that number", control(EPOLL_CTL_ADD, fresh[0], EPOLLIN));
    show("nothing");
    put(fresh[1]);
    show("the new one");
    if (fork() == 0) {
        close(fresh[0]);
        show("in a child");
        _exit(0);
    }
    wait(NULL);
    show("after the child");
    for (int i = 0; i < 300; i++) {
        int many[2];
        pipe(many);
        if (control(EPOLL_CTL_ADD, many[0], EPOLLIN))
            say("add failed");
        put(many[1]);
        close(many[0]), close(many[1]);
    }
    show("after many");
    close(fresh[0]), close(fresh[1]), close(ends[1]), close(set);
}

/* ---- sets in sets ---- */

static void nesting(void) {
    int sets[10], ends[2];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
    for (int i = 0; i < 10; i++)
        sets[i] = epoll_create1(0);
    pipe(ends);
    tell("add to the innermost", epoll_ctl(sets[0], EPOLL_CTL_ADD, ends[0], &event));
    tell("inner into outer", epoll_ctl(sets[1], EPOLL_CTL_ADD, sets[0], &event));
    tell("ring", epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[1], &event));
    tell("deeper", epoll_ctl(sets[2], EPOLL_CTL_ADD, sets[1], &event));
    tell("larger ring", epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[2], &event));
    set = sets[2], base = 0;
    show("nothing");
    put(ends[1]);
    show("through two");
    set = sets[1];
    show("through one");
    struct pollfd one = {sets[2], POLLIN | POLLOUT, 0};
    tell("poll", poll(&one, 1, 0));
    say("revents %x", one.revents);
    get(ends[0]);
    set = sets[2];
    show("nothing");
    tell("poll", poll(&one, 1, 0));
    event.events = EPOLLIN | EPOLLET;
    tell("edge", epoll_ctl(sets[2], EPOLL_CTL_MOD, sets[1], &event));
    put(ends[1]);
    show("edge");
    show("nothing");
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    tell("exclusive set", epoll_ctl(sets[3], EPOLL_CTL_ADD, sets[2], &event));
    event.events = EPOLLIN;
    close(sets[0]);
    set = sets[2];
    show("inner closed");
    close(ends[0]), close(ends[1]);
    int chain[9];
    for (int i = 0; i < 9; i++)
        chain[i] = epoll_create1(0);
    for (int i = 0; i + 1 < 9; i++) {
        char what[20];
        snprintf(what, sizeof what, "depth %d", i + 1);
        tell(what, epoll_ctl(chain[i + 1], EPOLL_CTL_ADD, chain[i], &event));
    }
    for (int i = 0; i < 9; i++)
        close(chain[i]);
    for (int i = 1; i < 10; i++)
        close(sets[i]);
}

/* ---- waiting ---- */

static int ends[2];

static void *put_later(void *unused) {
    usleep(30000);
    put(ends[1]);
    return unused;
}

static void on_signal(int number) {
    (void)number;
}

static void *kill_later(void *unused) {
    usleep(50000);
    kill(getpid(), SIGUSR1);
    return unused;
}

static void waiting(void) {
    pthread_t thread;
    set = epoll_create1(0);
    pipe(ends);
    base = ends[0];
    control(EPOLL_CTL_ADD, ends[0], EPOLLIN);
    show_within("short", 16, 20);
    pthread_create(&thread, NULL, put_later, NULL);
    show_within("until written", 16, -1);
    pthread_join(thread, NULL);
    get(ends[0]);
    pthread_create(&thread, NULL, put_later, NULL);
    tell("poll the set", poll(&(struct pollfd){set, POLLIN, 0}, 1, -1));
    pthread_join(thread, NULL);
    get(ends[0]);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigset_t mask, none;
    sigemptyset(&none);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    struct epoll_event event;
    kill(getpid(), SIGUSR1);
    tell("pwait interrupted", epoll_pwait(set, &event, 1, -1, &none));
    struct timespec time = {100, 0};
    kill(getpid(), SIGUSR1);
    tell("pwait2 interrupted", epoll_pwait2(set, &event, 1, &time, &none));
    kill(getpid(), SIGUSR1);
    put(ends[1]);
    tell("pwait ready", epoll_pwait(set, &event, 1, -1, &none));
    get(ends[0]);
    time = (struct timespec){0, 10000000};
    tell("pwait2 in vain", epoll_pwait2(set, &event, 1, &time, NULL));
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value = {0, 20000000}};
    timerfd_settime(timer, 0, &soon, NULL);
    control(EPOLL_CTL_ADD, timer, EPOLLIN);
    base = timer;
    show_within("timer", 16, -1);
    close(timer);
    close(ends[0]), close(ends[1]), close(set);
}

/*
 * Many writers, many files and many waiters by edges: each byte that was written is read by
 * somebody, since whoever is told of a file empties it.
 */
enum { FILES = 8, WRITERS = 4, WAITERS = 4, BYTES = 4000 };
static int pipes[FILES][2];
static long taken;

static void *writer(void *number) {
    for (int i = 0; i < BYTES; i++)
        put(pipes[(i * 7 + (long)number) % FILES][1]);
    return NULL;
}

static void *waiter(void *unused) {
    char bytes[64];
    while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) < WRITERS * BYTES) {
        struct epoll_event events[3];
        int count = epoll_wait(set, events, 3, 100);
        for (int i = 0; i < count; i++) {
            ssize_t got;
            while ((got = read((int)events[i].data.u32, bytes, sizeof bytes)) > 0)
                __atomic_add_fetch(&taken, got, __ATOMIC_SEQ_CST);
        }
    }
    return unused;
}

static void many(const char *what, uint32_t how) {
    pthread_t threads[WRITERS + WAITERS];
    taken = 0;
    set = epoll_create1(0);
    for (int i = 0; i < FILES; i++) {
        pipe2(pipes[i], O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN | how, .data.u32 = (uint32_t)pipes[i][0]};
        epoll_ctl(set, EPOLL_CTL_ADD, pipes[i][0], &event);
    }
    for (long i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, waiter, NULL);
    for (long i = 0; i < WRITERS; i++)
        pthread_create(&threads[WAITERS + i], NULL, writer, (void *)i);
    for (int i = 0; i < WRITERS + WAITERS; i++)
        pthread_join(threads[i], NULL);
    say("%s: %ld", what, taken);
    for (int i = 0; i < FILES; i++)
        close(pipes[i][0]), close(pipes[i][1]);
    close(set);
}

/* Files come and go while they are told of and waited for. */
static int stop;

static void *come_and_go(void *unused) {
    for (int i = 0; i < 2000; i++) {
        int own[2];
        pipe(own);
        struct epoll_event event = {.events = EPOLLIN | (i & 1 ? EPOLLET : 0), .data.u64 = 1};
        if (epoll_ctl(set, EPOLL_CTL_ADD, own[0], &event))
            say("add: %s", strerrorname_np(errno));
        put(own[1]);
        if (i % 3 == 0 && epoll_ctl(set, EPOLL_CTL_DEL, own[0], NULL))
            say("remove: %s", strerrorname_np(errno));
        close(own[i & 1]);
        close(own[!(i & 1)]);
    }
    return unused;
}

static void *wait_always(void *unused) {
    struct epoll_event events[4];
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        if (epoll_wait(set, events, 4, 1) < 0)
            say("wait: %s", strerrorname_np(errno));
    return unused;
}

static void closing(void) {
    pthread_t threads[5];
    set = epoll_create1(0);
    for (int i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, i < 3 ? come_and_go : wait_always, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 3; i < 5; i++)
        pthread_join(threads[i], NULL);
    show("nothing left");
    close(set);
}

int main(void) {
    levels_and_edges();
    errors();
    descriptors();
    nesting();
    waiting();
    many("edges", EPOLLET);
    many("levels", 0);
    closing();
    return 0;
}
