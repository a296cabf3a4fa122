/* O_ASYNC: who owns a file is told by a signal that it can be read or written, until he says no. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#define SIGNAL (SIGRTMIN + 2)

static sigset_t awaited;

/* The signal that comes, or that none does. */
static void told(const char *what, int fd, int wanted_code, long wanted_band) {
    struct timespec limit = {2, 0};
    siginfo_t info = {0};
    is(what, sigtimedwait(&awaited, &info, &limit), SIGNAL);
    is("  code", info.si_code, wanted_code);
    is("  band", info.si_band, wanted_band);
    is("  descriptor", info.si_fd == fd, 1);
}

static void not_told(const char *what) {
    struct timespec limit = {0, 30000000};
    is(what, sigtimedwait(&awaited, NULL, &limit), -1);
}

static void to_be_told(int fd) {
    gives(0, fcntl, fd, F_SETOWN, getpid());
    gives(0, fcntl, fd, F_SETSIG, SIGNAL);
    gives(0, fcntl, fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

#define IN  POLL_IN, POLLIN_BAND
#define OUT POLL_OUT, POLLOUT_BAND
enum { POLLIN_BAND = 0x41, POLLOUT_BAND = 0x304 };

static void pipes(void) {
    static char room[65536];
    int ends[2], on = 0;
    pipe(ends);
    to_be_told(ends[0]);
    is("the flag", !!(fcntl(ends[0], F_GETFL) & O_ASYNC), 1);
    not_told("of nothing");
    write(ends[1], "x", 1);
    told("of a byte", ends[0], IN);
    write(ends[1], "y", 1);
    told("of another", ends[0], IN);
    gives(0, ioctl, ends[0], FIOASYNC, &on);
    is("no flag", !!(fcntl(ends[0], F_GETFL) & O_ASYNC), 0);
    write(ends[1], "z", 1);
    not_told("no more");
    on = 1;
    gives(0, ioctl, ends[0], FIOASYNC, &on);
    close(ends[1]);
    told("of the end", ends[0], IN);
    close(ends[0]);

    pipe(ends);
    write(ends[1], room, sizeof room);
    to_be_told(ends[1]);
    not_told("of no room");
    read(ends[0], room, sizeof room);
    told("of room", ends[1], OUT);
    int other = dup(ends[1]);
    close(ends[1]);
    write(other, room, sizeof room);
    read(ends[0], room, sizeof room);
    told("by the other descriptor", ends[1], OUT);
    close(other);
    not_told("of itself");
}

static void sockets(void) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    to_be_told(pair[0]);
    not_told("of nothing");
    write(pair[1], "x", 1);
    told("of a datagram", pair[0], IN);
    close(pair[0]);
    close(pair[1]);
    not_told("of what is closed");
}

static void owner(void) {
    pause();
}

static void on_signal(int signal) {
    caught++;
}

/* Without a signal of its own it is SIGIO; without an owner, nobody. */
static void plainly(void) {
    int ends[2];
    sigset_t none;
    sigemptyset(&none);
    pipe(ends);
    signal(SIGIO, on_signal);
    gives(0, fcntl, ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    write(ends[1], "x", 1);
    doze(20);
    is("nobody is told", caught, 0);
    gives(0, fcntl, ends[0], F_SETOWN, getpid());
    write(ends[1], "x", 1);
    while (!caught)
        doze(1);
    is("SIGIO", caught, 1);
    int child = start(owner);
    until_asleep(child);
    gives(0, fcntl, ends[0], F_SETOWN, child);
    write(ends[1], "x", 1);
    ended("the owner, who waited for it", child);
    is("not who was it", caught, 1);
}

int main(void) {
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGNAL);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    int file = open("file", O_CREAT | O_RDWR, 0600);
    gives(0, fcntl, file, F_SETFL, O_ASYNC);
    pipes();
    sockets();
    plainly();
}
