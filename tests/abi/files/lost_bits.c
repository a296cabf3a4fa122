/* The bits that make a program run as its owner: what takes them away. */
#include "abi.h"

static void mode(const char *what) {
    struct stat seen;
    stat("file", &seen);
    say("%s: %05o", what, seen.st_mode & 07777);
    chmod("file", 06777);
}

static int fd;

static void somebody(void) {
    be(SOMEBODY);
    gives(1, write, fd, "x", 1);
    mode("written");
    gives(0, ftruncate, fd, 0);
}

static void member(void) {
    gid_t groups[] = {77};
    setgroups(1, groups);
    setresgid(SOMEBODY, SOMEBODY, SOMEBODY);
    setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    gives(0, chmod, "file", 06755);
    mode("by its owner in the group");
    gives(0, chown, "file", -1, 77);
    mode("given to a group");
    fails(EPERM, chown, "file", 0, -1);
    fails(EPERM, chown, "file", -1, 0);
    gives(0, chown, "file", SOMEBODY, -1);
    mode("given to itself");
    gives(0, chmod, "file", 02755);
}

static void stranger(void) {
    be(SOMEBODY);
    gives(0, chmod, "file", 06755);
    mode("by its owner outside the group");
}

int main(void) {
    put("file", "text");
    chmod("file", 06777);
    mode("made");
    fd = open("file", O_RDWR);
    gives(1, write, fd, "x", 1);
    mode("written by root");
    in_child("somebody", somebody);
    mode("by somebody");
    in_child("somebody", somebody);
    mode("truncated by somebody");
    gives(0, chown, "file", 5, 5);
    mode("chown");
    gives(0, chown, "file", -1, -1);
    mode("chown of nothing");
    chmod("file", 02644);
    gives(0, chown, "file", 6, 6);
    mode("mandatory locks of old");
    mkdir("d", 0755);
    chmod("d", 06755);
    gives(0, chown, "d", 5, 5);
    struct stat seen;
    stat("d", &seen);
    say("folder: %o", seen.st_mode);
    chown("file", SOMEBODY, 77);
    chmod("file", 06777);
    in_child("member", member);
    chown("file", SOMEBODY, 78);
    in_child("stranger", stranger);
}
