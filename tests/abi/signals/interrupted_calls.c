/* Each call that waits, interrupted by handlers with and without SA_RESTART. */
#include "abi.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static int pipe_of[2], full[2], pair[2], counter, watches, timers, polls, locked, queue, sets;
static char bytes[70000];
static int word;
static struct timespec ages = {1000, 0};

static long waits(int which) {
    struct pollfd one = {pipe_of[0], POLLIN};
    struct epoll_event event;
    struct flock lock = {.l_type = F_WRLCK};
    struct sembuf down = {0, -1, 0};
    struct timeval time = {1000, 0};
    siginfo_t info;
    uint64_t set = 1ul << (SIGUSR2 - 1);
    fd_set bits;
    FD_ZERO(&bits);
    switch (which) {
    case 0:
        return abi_call(read, pipe_of[0], bytes, 1);
    case 1:
        return abi_call(write, full[1], bytes, 4096);
    case 2:
        return abi_call(recvfrom, pair[0], bytes, 1, 0, NULL, NULL);
    case 3:
        return abi_call(read, counter, bytes, 8);
    case 4:
        return abi_call(read, watches, bytes, 4096);
    case 5:
        return abi_call(read, timers, bytes, 8);
    case 6:
        return abi_call(fcntl, locked, F_SETLKW, &lock);
    case 7:
        return abi_call(flock, locked, LOCK_EX);
    case 8:
        return abi_call(futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
    case 9:
        return abi_call(futex, &word, FUTEX_WAIT, 0, &ages, NULL, 0);
    case 10:
        return abi_call(poll, &one, 1, -1);
    case 11:
        return abi_call(ppoll, &one, 1, &ages, NULL, 8);
    case 12:
        return abi_call(select, 0, NULL, NULL, NULL, &time);
    case 13:
        return abi_call(epoll_wait, polls, &event, 1, -1);
    case 14:
        return abi_call(nanosleep, &ages, NULL);
    case 15:
        return abi_call(clock_nanosleep, CLOCK_REALTIME, 0, &ages, NULL);
    case 16:
        return abi_call(pause);
    case 17:
        return abi_call(rt_sigsuspend, &(uint64_t){0}, 8);
    case 18:
        return abi_call(rt_sigtimedwait, &set, NULL, NULL, 8);
    case 19:
        return abi_call(msgrcv, queue, bytes, 10, 0, 0);
    case 20:
        return abi_call(semop, sets, &down, 1);
    case 21:
        return abi_call(open, "fifo", O_RDONLY);
    case 22:
        return abi_call(pselect6, 0, NULL, NULL, NULL, &ages, NULL);
    default:
        return -2;
    }
}

static const char *const names[] = {
    "read a pipe",     "write a pipe",      "recv",         "read an eventfd",
    "read an inotify", "read a timerfd",    "F_SETLKW",     "flock",
    "futex",           "futex with a time", "poll",         "ppoll",
    "select",          "epoll_wait",        "nanosleep",    "clock_nanosleep",
    "pause",           "sigsuspend",        "sigtimedwait", "msgrcv",
    "semop",           "open a fifo",       "pselect6"};

static void for_ever(void) {
    struct flock lock = {.l_type = F_WRLCK};
    int fd = open("locked", O_RDWR);
    fcntl(fd, F_SETLK, &lock);
    flock(fd, LOCK_EX);
    write(pair[1], "r", 1);
    for (;;)
        pause();
}

/* The second signal ends what the first one does not. */
static void ends_it(int signal) {
    say("  made again");
    _exit(0);
}

static int current, with;
static volatile int *handled; /* shared with the victim */

static void handles(int signal) {
    *handled = 1;
}

static void until_it_waits_or_ends(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (;; doze(1)) {
        int before = *handled;
        char state = strrchr(get(path), ')')[2];
        if (before && (state == 'S' || state == 'Z'))
            break;
    }
    *handled = 0;
}

static void victim(void) {
    struct sigaction action = {.sa_handler = handles, .sa_flags = with};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGTERM, ends_it);
    long result = waits(current);
    say("  %s", result == -1 ? strerrorname_np(errno) : "it came");
}

int main(void) {
    handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pipe(pipe_of);
    pipe(full);
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    write(full[1], bytes, sizeof bytes);
    fcntl(full[1], F_SETFL, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    counter = eventfd(0, 0);
    watches = inotify_init();
    timers = timerfd_create(CLOCK_MONOTONIC, 0);
    polls = epoll_create1(0);
    put("locked", "");
    mkfifo("fifo", 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    sets = semget(IPC_PRIVATE, 1, 0600);
    locked = open("locked", O_RDWR);
    int holder = start(for_ever);
    read(pair[0], bytes, 1);
    for (current = 0; current < 23; current++)
        for (int restart = 0; restart < 2; restart++) {
            with = restart ? SA_RESTART : 0;
            say("%s%s", names[current], restart ? ", SA_RESTART" : "");
            int one = start(victim);
            until_asleep(one);
            kill(one, SIGUSR1);
            until_it_waits_or_ends(one);
            kill(one, SIGTERM);
            ended("victim", one);
        }
    kill(holder, SIGKILL);
    ended("holder", holder);
    msgctl(queue, IPC_RMID, NULL);
    semctl(sets, 0, IPC_RMID);
}
