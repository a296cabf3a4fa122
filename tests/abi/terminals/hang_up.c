/* One side goes: the other hears of it, and so does the session whose terminal it is. */
#include "pair.h"

static char name[64];

static void pair_named(void) {
    int number;
    open_pair();
    ioctl(master, TIOCGPTN, &number);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
}

/* What a terminal's programs wrote last can be read, then there is an error, until it is opened. */
static void terminal_closed(void) {
    char text[16];
    write(terminal, "last", 4);
    until_there(master, 4);
    close(terminal);
    is("hung up", ready(master, POLLIN, 5000), POLLIN | POLLHUP);
    comes(master, "last");
    is("hung up", ready(master, POLLIN, 5000), POLLHUP);
    fails(EIO, read, master, text, sizeof text);
    is("typing", write(master, "early\n", 6), 6);
    terminal = open(name, O_RDWR | O_NOCTTY);
    comes(terminal, "early\n");
    comes(master, "early\r\n");
    is("not any more", ready(master, POLLIN, 20), 0);
    int other = dup(terminal), again = open(name, O_RDWR | O_NOCTTY);
    close(terminal);
    close(again);
    is("not yet", ready(master, POLLIN, 20), 0);
    close(other);
    is("the last", ready(master, POLLIN, 5000), POLLHUP);
}

static void reads(void) {
    char text[16];
    close(master);
    is("an end", read(terminal, text, sizeof text) <= 0, 1); /* EIO if it wakes between the two */
    fails(EIO, write, terminal, "x", 1);
}

static void master_closed(void) {
    struct termios settings;
    char text[16];
    int number = 1;
    type("never read");
    int child = start(reads);
    until_asleep(child);
    doze(20);
    close(master);
    ended("reader", child);
    is("all", ready(terminal, POLLIN | POLLOUT, 5000), POLLIN | POLLOUT | POLLERR | POLLHUP);
    gives(0, read, terminal, text, sizeof text);
    fails(EIO, write, terminal, "x", 1);
    fails(EIO, ioctl, terminal, TCGETS, &settings);
    fails(ENOTTY, ioctl, terminal, TIOCSPGRP, &number);
    fails(ENOENT, open, name, O_RDWR | O_NOCTTY);
    close(terminal);
}

static volatile int order[8], orders;

static void note(int signal) {
    order[orders++ & 7] = signal;
}

static int told[2];

static void foreground(void) {
    setpgid(0, 0);
    handle(SIGHUP, 0);
    write(told[1], "r", 1);
    while (!caught)
        pause();
    write(told[1], "h", 1);
}

/* A session loses its terminal: the leader hears of it, and the foreground when the leader ends. */
static void leader(void) {
    char byte;
    setsid();
    signal(SIGHUP, note);
    signal(SIGCONT, note);
    ioctl(terminal, TIOCSCTTY, 0);
    int child = fork();
    if (!child) {
        close(master);
        foreground();
        _exit(0);
    }
    setpgid(child, child);
    read(told[0], &byte, 1);
    signal(SIGTTOU, SIG_IGN);
    gives(0, ioctl, terminal, TIOCSPGRP, &child);
    close(master);
    while (orders < 2)
        doze(1);
    say("told %d %d", order[0] + order[1], orders);
    fails(ENXIO, open, "/dev/tty", O_RDWR);
    doze(50);
    struct pollfd pipe_ = {.fd = told[0], .events = POLLIN};
    is("nor the foreground", poll(&pipe_, 1, 0), 0);
}

static void session(void) {
    char byte = 0;
    pipe(told);
    pair_named();
    int child = start(leader);
    close(master);
    ended("leader", child);
    is("foreground", read(told[0], &byte, 1), 1);
    is("heard", byte, 'h');
    close(terminal);
}

/* A leader that ends takes the foreground with it, and leaves the terminal to others. */
static void ends_early(void) {
    char byte;
    setsid();
    ioctl(terminal, TIOCSCTTY, 0);
    int child = fork();
    if (!child) {
        foreground();
        _exit(0);
    }
    setpgid(child, child);
    read(told[0], &byte, 1);
    signal(SIGTTOU, SIG_IGN);
    gives(0, ioctl, terminal, TIOCSPGRP, &child);
}

static void left(void) {
    char byte = 0;
    int number = -1;
    pair_named();
    in_child("leader", ends_early);
    is("foreground", read(told[0], &byte, 1), 1);
    is("heard", byte, 'h');
    gives(0, ioctl, master, TIOCGPGRP, &number);
    is("nobody's", number, 0);
    write(terminal, "works", 5);
    comes(master, "works");
}

int main(void) {
    pair_named();
    terminal_closed();
    close(master);
    pair_named();
    master_closed();
    session();
    left();
    return 0;
}
