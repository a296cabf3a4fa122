/* Packet mode: what the master hears of the terminal besides what it shows. */
#include "pair.h"

static void hears(int wanted) {
    is("urgent", ready(master, POLLPRI, 5000) & POLLPRI, POLLPRI);
    unsigned char bytes[16];
    is("a byte", read(master, bytes, sizeof bytes), 1);
    is("status", bytes[0], wanted);
}

static void set_flow(int on) {
    struct termios settings;
    tcgetattr(terminal, &settings);
    settings.c_iflag = on ? settings.c_iflag | IXON : settings.c_iflag & ~(tcflag_t)IXON;
    tcsetattr(terminal, TCSANOW, &settings);
}

int main(void) {
    int on = 1, mode = -1;
    char text[64];
    open_pair();
    gives(0, ioctl, master, TIOCGPKT, &mode);
    is("off", mode, 0);
    gives(0, ioctl, master, TIOCPKT, &on);
    gives(0, ioctl, master, TIOCGPKT, &mode);
    is("on", mode, 1);
    fails(EFAULT, ioctl, master, TIOCPKT, BAD);
    write(terminal, "data", 4);
    until_there(master, 4);
    is("packet", read(master, text, sizeof text), 5);
    say("%s", visible(text, 5));
    write(terminal, "data", 4);
    until_there(master, 4);
    is("short", read(master, text, 3), 3);
    say("%s", visible(text, 3));
    is("rest", read(master, text, sizeof text), 3);
    say("%s", visible(text, 3));
    nothing(master);
    tcflush(terminal, TCIFLUSH);
    hears(TIOCPKT_FLUSHREAD);
    tcflush(terminal, TCOFLUSH);
    hears(TIOCPKT_FLUSHWRITE);
    tcflush(terminal, TCIOFLUSH);
    hears(TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    tcflow(terminal, TCOOFF);
    hears(TIOCPKT_STOP);
    tcflow(terminal, TCOON);
    hears(TIOCPKT_START);
    set_flow(0);
    hears(TIOCPKT_NOSTOP);
    set_flow(0);
    nothing(master);
    set_flow(1);
    hears(TIOCPKT_DOSTOP);
    type("\023");
    hears(TIOCPKT_STOP);
    type("\021");
    hears(TIOCPKT_START);
    set_local(EXTPROC, 0);
    hears(TIOCPKT_IOCTL);
    set_local(0, EXTPROC);
    hears(TIOCPKT_IOCTL);
    tcflush(terminal, TCIFLUSH);
    on = 0;
    gives(0, ioctl, master, TIOCPKT, &on);
    is("urgent", ready(master, POLLPRI, 20), 0);
    write(terminal, "data", 4);
    comes(master, "data");
    return 0;
}
