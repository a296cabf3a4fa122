/* Which of a file's times change by what is done to it. */
#include "abi.h"

static void show(const char *what, int fd) {
    struct stat seen;
    fstat(fd, &seen);
    say("%s: %s %s %s", what, seen.st_atime == 1000 ? "old" : "new",
        seen.st_mtime == 2000 ? "old"
        : seen.st_mtime == 5  ? "five"
                              : "new",
        seen.st_ctime < 10000 ? "old" : "new");
}

int main(void) {
    put("file", "text");
    int fd = open("file", O_RDWR);
    struct timespec old[2] = {{1000, 0}, {2000, 0}};
    futimens(fd, old);
    show("set", fd);
    write(fd, "x", 1);
    show("written", fd);
    futimens(fd, old);
    ftruncate(fd, 4);
    show("cut to what it is", fd);
    futimens(fd, old);
    fchmod(fd, 0600);
    show("mode", fd);
    link("file", "other");
    show("link", fd);
    struct timespec omit[2] = {{0, UTIME_OMIT}, {5, 0}}, now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    gives(0, utimensat, fd, NULL, omit, 0);
    show("one alone", fd);
    gives(0, utimensat, fd, NULL, now, 0);
    show("now", fd);
    omit[1].tv_nsec = 1000000000;
    fails(EINVAL, utimensat, fd, NULL, omit, 0);
}
