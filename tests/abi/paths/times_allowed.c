/* utimensat: now, left out, by whom; which time each change of a file moves. */
#include "abi.h"

static const struct timespec OLD[2] = {{1000, 11}, {2000, 22}};

static void times(const char *what) {
    struct stat seen;
    lstat("file", &seen);
    say("%s: read %s, written %s", what, seen.st_atim.tv_sec == 1000 ? "old" : "new",
        seen.st_mtim.tv_sec == 2000 ? "old" : "new");
    utimensat(AT_FDCWD, "file", OLD, 0);
}

static const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}},
                             omitted[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}},
                             half[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}},
                             set[2] = {{5, 5}, {0, UTIME_NOW}},
                             wrong[2] = {{0, 1000000000}, {0, 0}};

static void may_write(void) {
    be(SOMEBODY);
    gives(0, utimensat, AT_FDCWD, "file", NULL, 0);
    gives(0, utimensat, AT_FDCWD, "file", now, 0);
    gives(0, utimensat, AT_FDCWD, "file", omitted, 0);
    fails(EPERM, utimensat, AT_FDCWD, "file", half, 0);
    fails(EPERM, utimensat, AT_FDCWD, "file", set, 0);
    fails(EACCES, utimensat, AT_FDCWD, "closed", NULL, 0);
    fails(EACCES, utimensat, AT_FDCWD, "closed", now, 0);
    gives(0, utimensat, AT_FDCWD, "closed", omitted, 0);
    fails(EPERM, utimensat, AT_FDCWD, "closed", set, 0);
}

int main(void) {
    struct stat seen;
    char byte;
    put("file", "text");
    put("closed", "");
    chmod("closed", 0600);
    chmod("file", 0666);
    gives(0, utimensat, AT_FDCWD, "file", OLD, 0);
    stat("file", &seen);
    say("%ld.%ld %ld.%ld", seen.st_atim.tv_sec, seen.st_atim.tv_nsec, seen.st_mtim.tv_sec,
        seen.st_mtim.tv_nsec);
    times("set");
    utimensat(AT_FDCWD, "file", half, 0);
    times("half");
    utimensat(AT_FDCWD, "file", set, 0);
    times("the other half");
    utimensat(AT_FDCWD, "file", omitted, 0);
    times("omitted");
    fails(EINVAL, utimensat, AT_FDCWD, "file", wrong, 0);
    times("refused");
    int fd = open("file", O_RDWR);
    times("opened");
    write(fd, "", 0);
    times("nothing written");
    write(fd, "x", 1);
    times("written");
    ftruncate(fd, 1);
    times("cut to what it is");
    read(fd, &byte, 1);
    times("read at its end");
    chmod("file", 0666);
    times("mode");
    link("file", "other");
    times("linked");
    rename("other", "another");
    times("renamed");
    gives(0, utimensat, fd, NULL, now, 0);
    times("by descriptor");
    symlink("file", "link");
    gives(0, utimensat, AT_FDCWD, "link", now, AT_SYMLINK_NOFOLLOW);
    times("of the link");
    gives(0, utimensat, AT_FDCWD, "link", now, 0);
    times("through the link");
    fails(EINVAL, utimensat, AT_FDCWD, "file", now, 0x40);
    fails(EFAULT, utimensat, AT_FDCWD, NULL, now, 0);
    in_child("may write", may_write);
    gives(0, utimensat, AT_FDCWD, "file", (struct timespec[2]){{-5, 0}, {1ll << 31, 999999999}}, 0);
    stat("file", &seen);
    say("%ld %ld", seen.st_atim.tv_sec, seen.st_mtim.tv_sec);
}
