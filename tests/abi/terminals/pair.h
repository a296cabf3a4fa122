/*
 * What the cases of terminals share: a master and its terminal, and reading just what is expected,
 * since who is quick may get it in pieces.
 */
#ifndef PAIR_H
#define PAIR_H

#include "abi.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, terminal;

static int unlock(void) {
    int zero = 0;
    return ioctl(master, TIOCSPTLCK, &zero);
}

static void open_pair(void) {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0 || unlock() < 0)
        give_up("no master");
    terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    if (terminal < 0)
        give_up("no terminal");
}

static const char *visible(const char *bytes, int count) {
    static char text[4096];
    int at = 0;
    for (int n = 0; n < count && at < (int)sizeof text - 8; n++) {
        unsigned char byte = (unsigned char)bytes[n];
        if (byte < 32 || byte > 126)
            at += sprintf(text + at, "<%02x>", byte);
        else
            text[at++] = (char)byte;
    }
    text[at] = 0;
    return text;
}

/* Reads this, and says what came instead if it did not. */
static void comes_of(int fd, const char *wanted, int count) {
    char got[4096];
    int have = 0, result = 1;
    struct pollfd file = {.fd = fd, .events = POLLIN};
    while (have < count && result > 0 && poll(&file, 1, 5000) == 1) {
        result = (int)read(fd, got + have, (size_t)(count - have));
        have += result > 0 ? result : 0;
    }
    say("%s: %s", fd == master ? "shown" : "read", visible(got, have));
    if (have != count || memcmp(got, wanted, (size_t)count))
        is("as expected", 0, 1);
}

static void comes(int fd, const char *wanted) {
    comes_of(fd, wanted, (int)strlen(wanted));
}

static void type(const char *text) {
    if (write(master, text, strlen(text)) != (ssize_t)strlen(text))
        give_up("not typed");
}

/* Waits until so much can be read. */
static void until_there(int fd, int count) {
    int there = 0;
    for (int n = 0; n < 5000 && ioctl(fd, FIONREAD, &there) == 0 && there < count; n++)
        doze(1);
    is("there", there, count);
}

/* Nothing is there, nor comes. */
static void nothing(int fd) {
    struct pollfd file = {.fd = fd, .events = POLLIN | POLLPRI};
    is("nothing", poll(&file, 1, 20), 0);
}

static unsigned ready(int fd, int events, int patience) {
    struct pollfd file = {.fd = fd, .events = (short)events};
    poll(&file, 1, patience);
    return (unsigned)file.revents;
}

static void set_raw(int min, int tenths) {
    struct termios settings;
    tcgetattr(terminal, &settings);
    cfmakeraw(&settings);
    settings.c_cc[VMIN] = (cc_t)min;
    settings.c_cc[VTIME] = (cc_t)tenths;
    tcsetattr(terminal, TCSANOW, &settings);
}

static void set_local(int on, int off) {
    struct termios settings;
    tcgetattr(terminal, &settings);
    settings.c_lflag = (settings.c_lflag | (tcflag_t)on) & ~(tcflag_t)off;
    tcsetattr(terminal, TCSANOW, &settings);
}

#endif
