/* Whose terminal it is: how a session gets one and gives it up, /dev/tty, groups, /proc. */
#include "pair.h"

static char name[64];

static void says_stat(const char *what) {
    char text[512];
    int device = -1, group = -1;
    snprintf(text, sizeof text, "%s", get("/proc/self/stat"));
    sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %d %d", &device, &group);
    unsigned wanted = 0;
    ioctl(terminal, TIOCGDEV, &wanted);
    say("%s: %s, %s", what,
        !device                 ? "no device"
        : device == (int)wanted ? "its device"
                                : "another",
        group == getpgrp() ? "own group"
        : group == -1      ? "no group"
                           : "another group");
}

static void by_opening(void) {
    says_stat("before");
    fails(ENXIO, open, "/dev/tty", O_RDWR);
    fails(ENOTTY, ioctl, terminal, TIOCGSID, name);
    fails(ENOTTY, ioctl, terminal, TIOCGPGRP, name);
    int number = 0;
    gives(0, ioctl, master, TIOCGPGRP, &number);
    is("none", number, 0);
    fails(ENOTTY, ioctl, master, TIOCGSID, &number);
    close(open(name, O_RDWR | O_NOCTTY));
    says_stat("not by that");
    close(open(name, O_WRONLY));
    says_stat("nor by writing");
    is("opens", open(name, O_RDWR) >= 0, 1);
    says_stat("by opening");
    gives(0, ioctl, terminal, TIOCGSID, &number);
    is("session", number == getsid(0), 1);
    gives(0, ioctl, terminal, TIOCGPGRP, &number);
    is("group", number == getpgrp(), 1);
    gives(0, ioctl, master, TIOCGPGRP, &number);
    is("group", number == getpgrp(), 1);
    gives(0, ioctl, master, TIOCGSID, &number);
    is("session", number == getsid(0), 1);
    int own = open("/dev/tty", O_RDWR);
    is("own", own >= 0, 1);
    write(own, "me", 2);
    comes(master, "me");
    gives(0, ioctl, own, TIOCSCTTY, 0);
    gives(0, ioctl, own, TIOCNOTTY);
    says_stat("given up");
    is("told", caught, 1);
    fails(ENOTTY, ioctl, terminal, TIOCNOTTY);
    fails(ENXIO, open, "/dev/tty", O_RDWR);
}

static void other(void) {
    fails(EPERM, ioctl, terminal, TIOCSCTTY, 0);
    says_stat("not the leader");
    setsid();
    fails(EPERM, ioctl, terminal, TIOCSCTTY, 0);
    gives(0, ioctl, terminal, TIOCSCTTY, 1);
    says_stat("stolen");
}

static void waits(void) {
    setpgid(0, 0);
    pause();
}

static void groups(void) {
    int number = 0;
    fails(EFAULT, ioctl, terminal, TIOCSPGRP, BAD);
    number = -1;
    fails(EINVAL, ioctl, terminal, TIOCSPGRP, &number);
    number = 99999;
    fails(ESRCH, ioctl, terminal, TIOCSPGRP, &number);
    number = 1;
    int child = start(waits);
    setpgid(child, child);
    gives(0, ioctl, terminal, TIOCSPGRP, &child);
    gives(0, ioctl, master, TIOCGPGRP, &number);
    is("child", number == child, 1);
    type("\003");
    ended("interrupted", child);
    number = getpgrp();
    signal(SIGTTOU, SIG_IGN);
    gives(0, ioctl, terminal, TIOCSPGRP, &number);
}

int main(void) {
    int number;
    open_pair();
    ioctl(master, TIOCGPTN, &number);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    handle(SIGHUP, 0);
    by_opening();
    gives(0, ioctl, master, TIOCSCTTY, 0);
    says_stat("by the master");
    groups();
    in_child("another session", other);
    says_stat("left");
    return 0;
}
