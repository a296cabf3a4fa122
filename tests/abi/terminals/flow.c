/* Stopping and starting output, flushing, what is counted, typing by ioctl. */
#include "pair.h"

static void counts(void) {
    int number = -1;
    until_there(terminal, 0);
    type("abc\nde\n");
    until_there(terminal, 7);
    until_there(master, 9);
    gives(0, ioctl, terminal, TIOCOUTQ, &number);
    is("none", number, 0);
    fails(EFAULT, ioctl, terminal, TIOCOUTQ, BAD);
    fails(EFAULT, ioctl, terminal, FIONREAD, BAD);
    gives(0, ioctl, terminal, TCFLSH, TCIFLUSH);
    until_there(terminal, 0);
    comes(master, "abc\r\nde\r\n");
    fails(EINVAL, ioctl, terminal, TCFLSH, 3);
    write(terminal, "seen", 4);
    until_there(master, 4);
    gives(0, ioctl, terminal, TCFLSH, TCOFLUSH);
    comes(master, "seen");
    write(terminal, "unseen", 6);
    until_there(master, 6);
    gives(0, ioctl, master, TCFLSH, TCIFLUSH);
    nothing(master);
    gives(0, ioctl, terminal, TCSBRK, 1);
    gives(0, ioctl, terminal, TCSBRKP, 1);
}

static void by_keys(void) {
    fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
    write(terminal, "before", 6);
    until_there(master, 6);
    type("\023");
    doze(20);
    comes(master, "before");
    fails(EAGAIN, write, terminal, "x", 1);
    is("not writable", ready(terminal, POLLOUT, 0), 0);
    type("echo");
    nothing(master);
    type("\021");
    comes(master, "echo");
    is("writable", ready(terminal, POLLOUT, 5000), POLLOUT);
    type("\023");
    doze(20);
    fails(EAGAIN, write, terminal, "x", 1);
    type("\003");
    is("started", ready(terminal, POLLOUT, 5000), POLLOUT);
    comes(master, "^C");
}

static void by_requests(void) {
    fails(EINVAL, ioctl, terminal, TCXONC, 4);
    gives(0, ioctl, terminal, TCXONC, TCOOFF);
    fails(EAGAIN, write, terminal, "x", 1);
    type("\021");
    doze(20);
    fails(EAGAIN, write, terminal, "x", 1);
    gives(0, ioctl, terminal, TCXONC, TCOON);
    is("written", write(terminal, "x", 1), 1);
    comes(master, "x");
    gives(0, ioctl, terminal, TCXONC, TCIOFF);
    comes(master, "\023");
    gives(0, ioctl, terminal, TCXONC, TCION);
    comes(master, "\021");
    type("\023");
    doze(20);
    gives(0, ioctl, terminal, TCXONC, TCOON);
    fails(EAGAIN, write, terminal, "x", 1);
    struct termios settings;
    tcgetattr(terminal, &settings);
    settings.c_iflag &= ~(tcflag_t)IXON;
    tcsetattr(terminal, TCSANOW, &settings);
    is("written", write(terminal, "y", 1), 1);
    comes(master, "y");
}

static void typed(void) {
    fcntl(terminal, F_SETFL, O_RDWR);
    gives(0, ioctl, terminal, TIOCSTI, "t");
    gives(0, ioctl, terminal, TIOCSTI, "\n");
    comes(master, "t\r\n");
    comes(terminal, "t\n");
    fails(EFAULT, ioctl, terminal, TIOCSTI, BAD);
}

int main(void) {
    open_pair();
    counts();
    by_keys();
    by_requests();
    typed();
    return 0;
}
