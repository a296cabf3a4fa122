/* utime, utimes, utimensat: what they set, and everything refused. */
#include "abi.h"

#include <utime.h>

static void show(const char *name) {
    struct stat seen;
    lstat(name, &seen);
    say("%ld.%09ld %ld.%09ld", seen.st_atim.tv_sec, seen.st_atim.tv_nsec, seen.st_mtim.tv_sec,
        seen.st_mtim.tv_nsec);
}

int main(void) {
    struct utimbuf old = {100, 200};
    struct timeval newer[2] = {{300, 4}, {500, 6}}, wrong[2] = {{1, 1000000}, {1, 0}};
    struct timespec newest[2] = {{700, 8}, {900, 10}}, some[2] = {{0, UTIME_OMIT}, {11, 12}};
    struct timespec bad[2] = {{0, -1}, {0, 0}}, now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    put("file", "");
    symlink("file", "link");
    gives(0, utime, "file", &old);
    show("file");
    gives(0, utimes, "link", newer);
    show("file");
    gives(0, utimensat, AT_FDCWD, "file", newest, 0);
    show("file");
    gives(0, utimensat, AT_FDCWD, "file", some, 0);
    show("file");
    gives(0, utimensat, AT_FDCWD, "link", newest, AT_SYMLINK_NOFOLLOW);
    show("link");
    show("file");
    fails(EINVAL, utimes, "file", wrong);
    fails(EINVAL, futimesat, AT_FDCWD, "file", wrong);
    fails(EINVAL, utimensat, AT_FDCWD, "file", bad, 0);
    fails(EFAULT, utimensat, AT_FDCWD, NULL, newest, 0);
    fails(EFAULT, utime, "file", BAD);
    fails(EFAULT, utimes, "file", BAD);
    fails(EFAULT, futimesat, AT_FDCWD, "file", BAD);
    fails(EFAULT, utimensat, AT_FDCWD, "file", BAD, 0);
    gives(0, utime, "file", NULL);
    gives(0, utimes, "file", NULL);
    chmod("file", 0644);
    be(SOMEBODY);
    fails(EPERM, utime, "file", &old);
    fails(EPERM, utimes, "file", newer);
    fails(EPERM, futimesat, AT_FDCWD, "file", newer);
    fails(EPERM, utimensat, AT_FDCWD, "file", newest, 0);
    fails(EACCES, utime, "file", NULL);
    fails(EACCES, utimensat, AT_FDCWD, "file", now, 0);
}
