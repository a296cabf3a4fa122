/* vhangup: the caller's terminal is cut off from all who have it open, and can be opened again. */
#include "pair.h"

static char name[64];

int main(void) {
    int number;
    char text[16];
    struct termios settings;
    gives(0, vhangup);
    open_pair();
    ioctl(master, TIOCGPTN, &number);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    ioctl(terminal, TIOCSCTTY, 0);
    set_local(0, ECHO);
    handle(SIGHUP, 0);
    type("lost\n");
    until_there(terminal, 5);
    gives(0, vhangup);
    is("told", caught, 1);
    gives(0, read, terminal, text, sizeof text);
    fails(EIO, write, terminal, "x", 1);
    fails(EIO, ioctl, terminal, TCGETS, &settings);
    is("all", ready(terminal, POLLIN | POLLOUT, 0), POLLIN | POLLOUT | POLLERR | POLLHUP);
    fails(ENXIO, open, "/dev/tty", O_RDWR);
    is("not told", ready(master, POLLIN, 20), 0);
    int again = open(name, O_RDWR | O_NOCTTY);
    is("again", again >= 0, 1);
    is("open", ready(master, POLLIN, 20), 0);
    fails(EIO, write, terminal, "x", 1);
    tcgetattr(again, &settings);
    is("set back", !!(settings.c_lflag & ECHO), 1);
    write(again, "new", 3);
    comes(master, "new");
    type("line\n");
    comes(again, "line\n");
    close(terminal);
    is("still open", ready(again, POLLOUT, 0), POLLOUT);
    gives(0, ioctl, again, TIOCVHANGUP);
    fails(EIO, write, again, "x", 1);
    be(SOMEBODY);
    fails(EPERM, vhangup);
    return 0;
}
