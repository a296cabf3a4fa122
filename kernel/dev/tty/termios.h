/*
 * What programs and a terminal agree on: settings, window size and the numbers of requests, laid
 * out as Linux does on x86-64. Constants only; nothing here has state.
 */
#ifndef KERNEL_TERMIOS_H
#define KERNEL_TERMIOS_H

#include <stdint.h>

#define TTY_CONTROLS 19

/* TCGETS and its like. */
struct tty_settings {
    uint32_t input, output, control, local;
    uint8_t discipline;
    uint8_t characters[TTY_CONTROLS];
};
_Static_assert(sizeof(struct tty_settings) == 36, "Linux's struct termios");

/* TCGETS2 and its like. */
struct tty_settings2 {
    struct tty_settings common;
    uint32_t input_speed, output_speed;
};
_Static_assert(sizeof(struct tty_settings2) == 44, "Linux's struct termios2");

struct tty_size {
    uint16_t rows, columns, width, height;
};

enum tty_character {
    TTY_INTR,
    TTY_QUIT,
    TTY_ERASE,
    TTY_KILL,
    TTY_EOF,
    TTY_TIME,
    TTY_MIN,
    TTY_SWTC,
    TTY_START,
    TTY_STOP,
    TTY_SUSP,
    TTY_EOL,
    TTY_REPRINT,
    TTY_DISCARD,
    TTY_WERASE,
    TTY_LNEXT,
    TTY_EOL2,
};

enum tty_input {
    TTY_IGNBRK = 0x1,
    TTY_BRKINT = 0x2,
    TTY_ISTRIP = 0x20,
    TTY_INLCR = 0x40,
    TTY_IGNCR = 0x80,
    TTY_ICRNL = 0x100,
    TTY_IUCLC = 0x200,
    TTY_IXON = 0x400,
    TTY_IXANY = 0x800,
    TTY_IMAXBEL = 0x2000,
    TTY_IUTF8 = 0x4000,
};

enum tty_output {
    TTY_OPOST = 0x1,
    TTY_OLCUC = 0x2,
    TTY_ONLCR = 0x4,
    TTY_OCRNL = 0x8,
    TTY_ONOCR = 0x10,
    TTY_ONLRET = 0x20,
    TTY_TABDLY = 0x1800, /* both bits: tabs become spaces */
};

enum tty_local {
    TTY_ISIG = 0x1,
    TTY_ICANON = 0x2,
    TTY_ECHO = 0x8,
    TTY_ECHOE = 0x10,
    TTY_ECHOK = 0x20,
    TTY_ECHONL = 0x40,
    TTY_NOFLSH = 0x80,
    TTY_TOSTOP = 0x100,
    TTY_ECHOCTL = 0x200,
    TTY_ECHOPRT = 0x400,
    TTY_ECHOKE = 0x800,
    TTY_IEXTEN = 0x8000,
    TTY_EXTPROC = 0x10000,
};

enum tty_control {
    TTY_SIZE = 0x30, /* all of these: bytes of 8 bits */
    TTY_READS = 0x80,
    TTY_PARITY = 0x100,
};

enum tty_request {
    TTY_TCGETS = 0x5401,
    TTY_TCSETS,
    TTY_TCSETSW,
    TTY_TCSETSF,
    TTY_TCGETA,
    TTY_TCSETA,
    TTY_TCSETAW,
    TTY_TCSETAF,
    TTY_TCSBRK,
    TTY_TCXONC,
    TTY_TCFLSH,
    TTY_TIOCSCTTY = 0x540e,
    TTY_TIOCGPGRP,
    TTY_TIOCSPGRP,
    TTY_TIOCOUTQ,
    TTY_TIOCSTI,
    TTY_TIOCGWINSZ,
    TTY_TIOCSWINSZ,
    TTY_FIONREAD = 0x541b,
    TTY_TIOCNOTTY = 0x5422,
    TTY_TIOCGETD = 0x5424,
    TTY_TCSBRKP = 0x5425,
    TTY_TIOCGSID = 0x5429,
    TTY_TCGETS2 = 0x802c542a,
    TTY_TCSETS2 = 0x402c542b,
    TTY_TCSETSW2 = 0x402c542c,
    TTY_TCSETSF2 = 0x402c542d,
    TTY_TIOCEXCL = 0x540c,
    TTY_TIOCNXCL = 0x540d,
    TTY_TIOCGEXCL = 0x80045440,
    TTY_TIOCVHANGUP = 0x5437,
    TTY_TIOCGLCKTRMIOS = 0x5456,
    TTY_TIOCSLCKTRMIOS = 0x5457,
    TTY_TIOCGDEV = 0x80045432,
    /* Of the master of a pseudo-terminal. */
    TTY_TIOCPKT = 0x5420,
    TTY_TIOCGPKT = 0x80045438,
    TTY_TIOCGPTN = 0x80045430,
    TTY_TIOCSPTLCK = 0x40045431,
    TTY_TIOCGPTLCK = 0x80045439,
    TTY_TIOCSIG = 0x40045436,
};

/* What a master in packet mode is told of the terminal. */
enum tty_packet {
    TTY_PACKET_READ_FLUSHED = 1,
    TTY_PACKET_WRITE_FLUSHED = 2,
    TTY_PACKET_STOPPED = 4,
    TTY_PACKET_STARTED = 8,
    TTY_PACKET_DOES_NOT_STOP = 16, /* ^S and ^Q are not what stops and starts it */
    TTY_PACKET_DOES_STOP = 32,
    TTY_PACKET_SET = 64, /* EXTPROC: its settings */
};

#endif
