/* The size of the window, of both sides, and who hears that it has changed. */
#include "pair.h"

static void says_size(const char *what, int fd) {
    struct winsize size;
    works(ioctl, fd, TIOCGWINSZ, &size);
    say("%s: %d %d %d %d", what, size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
}

static int told[2];

static void background(void) {
    setpgid(0, 0);
    handle(SIGWINCH, 0);
    write(told[1], "r", 1);
    while (!caught)
        doze(1);
}

int main(void) {
    struct winsize size = {25, 80, 7, 9};
    char byte;
    pipe(told);
    open_pair();
    handle(SIGWINCH, SA_RESTART);
    says_size("first", terminal);
    gives(0, ioctl, master, TIOCSWINSZ, &size);
    says_size("terminal", terminal);
    says_size("master", master);
    is("nobody's", caught, 0);
    ioctl(terminal, TIOCSCTTY, 0);
    gives(0, ioctl, master, TIOCSWINSZ, &size);
    is("the same", caught, 0);
    size.ws_row = 50;
    gives(0, ioctl, master, TIOCSWINSZ, &size);
    is("another", caught, 1);
    size.ws_xpixel = 8;
    gives(0, ioctl, terminal, TIOCSWINSZ, &size);
    is("by itself", caught, 2);
    says_size("master", master);
    fails(EFAULT, ioctl, terminal, TIOCGWINSZ, BAD);
    fails(EFAULT, ioctl, master, TIOCSWINSZ, BAD);
    int child = start(background);
    read(told[0], &byte, 1);
    signal(SIGTTOU, SIG_IGN);
    gives(0, ioctl, terminal, TIOCSPGRP, &child);
    size.ws_col = 132;
    gives(0, ioctl, master, TIOCSWINSZ, &size);
    is("not in the background", caught, 2);
    ended("foreground", child);
    return 0;
}
