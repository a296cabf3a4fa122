/* Job control: reading and writing from the background, and the characters that are signals. */
#include "pair.h"

static void say_stopped(const char *what, int child) {
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status))
        say("%s: stopped by %d", what, WSTOPSIG(status));
    else
        say("%s: %x", what, status);
}

static void end(int child) {
    kill(-child, SIGKILL);
    kill(-child, SIGCONT);
    waitpid(child, NULL, 0);
}

static void reads(void) {
    char text[16];
    setpgid(0, 0);
    is("read", read(terminal, text, sizeof text), 3);
}

static void reads_ignoring(void) {
    char text[16];
    setpgid(0, 0);
    signal(SIGTTIN, SIG_IGN);
    fails(EIO, read, terminal, text, sizeof text);
}

static void reads_blocking(void) {
    char text[16];
    sigset_t set;
    setpgid(0, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fails(EIO, read, terminal, text, sizeof text);
}

static void writes(void) {
    setpgid(0, 0);
    is("write", write(terminal, "w", 1), 1);
}

static void sets(void) {
    struct termios settings;
    setpgid(0, 0);
    tcgetattr(terminal, &settings);
    is("set", tcsetattr(terminal, TCSANOW, &settings), 0);
}

static void sets_ignoring(void) {
    signal(SIGTTOU, SIG_IGN);
    sets();
    is("flow", tcflow(terminal, TCION), 0);
    int group = getpgrp();
    is("foreground", ioctl(terminal, TIOCSPGRP, &group), 0);
}

static void takes(void) {
    setpgid(0, 0);
    int group = getpgrp();
    is("foreground", ioctl(terminal, TIOCSPGRP, &group), 0);
}

static void handles(void) {
    setpgid(0, 0);
    char text[16];
    handle(SIGTTIN, 0);
    fails(EINTR, read, terminal, text, sizeof text);
    is("caught", caught, 1);
}

static void to_foreground(int group) {
    signal(SIGTTOU, SIG_IGN);
    gives(0, ioctl, terminal, TIOCSPGRP, &group);
    signal(SIGTTOU, SIG_DFL);
}

static void pauses(void) {
    setpgid(0, 0);
    pause();
}

static void typed(const char *what, const char *text) {
    int child = start(pauses);
    setpgid(child, child);
    to_foreground(child);
    type(text);
    say_stopped(what, child);
    end(child);
    to_foreground(getpgrp());
}

static void background(void) {
    int child = start(reads);
    say_stopped("read", child);
    to_foreground(child);
    kill(-child, SIGCONT);
    type("go\n");
    ended("reader", child);
    to_foreground(getpgrp());
    in_child("ignoring", reads_ignoring);
    in_child("blocking", reads_blocking);
    in_child("writer", writes);
    child = start(sets);
    say_stopped("set", child);
    end(child);
    child = start(takes);
    say_stopped("take", child);
    end(child);
    set_local(TOSTOP, 0);
    child = start(writes);
    say_stopped("write", child);
    end(child);
    set_local(0, TOSTOP);
    in_child("setting", sets_ignoring);
    to_foreground(getpgrp());
    in_child("handling", handles);
}

int main(void) {
    open_pair();
    ioctl(terminal, TIOCSCTTY, 0);
    background();
    set_local(0, ECHO);
    tcflush(master, TCIFLUSH);
    typed("interrupt", "\003");
    typed("quit", "\034");
    typed("suspend", "\032");
    int child = start(pauses);
    setpgid(child, child);
    to_foreground(child);
    fails(EINVAL, ioctl, master, TIOCSIG, SIGTERM);
    gives(0, ioctl, master, TIOCSIG, SIGTSTP);
    say_stopped("sent", child);
    end(child);
    to_foreground(getpgrp());
    set_local(0, ISIG);
    type("\003\n");
    comes(terminal, "\003\n");
    set_local(ISIG | NOFLSH, 0);
    handle(SIGINT, SA_RESTART);
    type("kept\003\n");
    comes(terminal, "kept\n");
    is("caught", caught, 1);
    set_local(0, NOFLSH);
    type("gone\003kept\n");
    comes(terminal, "kept\n");
    is("caught", caught, 2);
    return 0;
}
