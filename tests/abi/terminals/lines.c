/* The line discipline between the two sides: lines, echoes, ends, raw bytes with VMIN and VTIME. */
#include "pair.h"

static void canonical(void) {
    type("one\ntwo\n");
    comes(master, "one\r\ntwo\r\n");
    char text[64];
    is("a line", read(terminal, text, sizeof text), 4);
    is("part of one", read(terminal, text, 2), 2);
    is("its rest", read(terminal, text, sizeof text), 2);
    type("wrong\025right\177\n");
    comes_of(master, "wrong\b \b\b \b\b \b\b \b\b \bright\b \b\r\n", 5 + 15 + 5 + 3 + 2);
    comes(terminal, "righ\n");
    type("half\004");
    comes(master, "half");
    comes(terminal, "half");
    type("\004");
    is("end", read(terminal, text, sizeof text), 0);
    type("\026\003\n");
    comes(master, "^\b^C\r\n");
    comes(terminal, "\003\n");
}

static void output(void) {
    write(terminal, "a\nb\tc\r", 6);
    comes(master, "a\r\nb\tc\r");
    struct termios settings;
    tcgetattr(terminal, &settings);
    settings.c_oflag |= XTABS;
    tcsetattr(terminal, TCSADRAIN, &settings);
    write(terminal, "b\tc\r", 4);
    comes(master, "b       c\r");
    settings.c_oflag = 0;
    tcsetattr(terminal, TCSAFLUSH, &settings);
    write(terminal, "b\tc\n", 4);
    comes(master, "b\tc\n");
}

static void raw(void) {
    char text[64];
    set_raw(1, 0);
    type("x");
    comes(terminal, "x");
    nothing(master);
    set_raw(3, 0);
    type("ab");
    nothing(terminal);
    type("c");
    is("three", read(terminal, text, sizeof text), 3);
    set_raw(0, 0);
    is("none", read(terminal, text, sizeof text), 0);
    set_raw(0, 1);
    is("none in time", read(terminal, text, sizeof text), 0);
    set_raw(3, 1);
    type("y");
    is("one in time", read(terminal, text, sizeof text), 1);
}

static void changes(void) {
    char text[64];
    set_local(ICANON, 0);
    type("abc");
    nothing(terminal);
    type("\n");
    is("a line of both", read(terminal, text, sizeof text), 4);
    type("left");
    set_raw(1, 0);
    comes(terminal, "left");
}

/* More than the line holds waits for readers, however much it is; a line that is too long does not.
 */
static void much(void) {
    static char bytes[10000], got[10000];
    memset(bytes, 'm', sizeof bytes);
    is("typed", write(master, bytes, sizeof bytes), sizeof bytes);
    int have = 0;
    while (have < (int)sizeof bytes)
        have += (int)read(terminal, got + have, sizeof got - (size_t)have);
    is("same", memcmp(got, bytes, sizeof bytes), 0);
    is("written", write(terminal, bytes, sizeof bytes), sizeof bytes);
    for (have = 0; have < (int)sizeof bytes;)
        have += (int)read(master, got + have, sizeof got - (size_t)have);
    is("same", memcmp(got, bytes, sizeof bytes), 0);
    set_local(ICANON, 0);
    is("typed", write(master, bytes, 5000), 5000);
    type("\n");
    is("a line", read(terminal, got, sizeof got), 4096);
}

int main(void) {
    open_pair();
    canonical();
    output();
    raw();
    changes();
    much();
    return 0;
}
