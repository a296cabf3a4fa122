/* fchmodat2, which came after 6.1: as fchmodat, and with flags. */
#include "abi.h"

#include <sys/mount.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static void show(const char *name) {
    struct stat seen;
    lstat(name, &seen);
    say("%s: %o", name, seen.st_mode);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, fchmodat2, AT_FDCWD, "file", 0777, 0);
}

int main(void) {
    put("file", "");
    symlink("file", "link");
    gives(0, fchmodat2, AT_FDCWD, "file", 0751, 0);
    show("file");
    gives(0, fchmodat2, AT_FDCWD, "link", 0640, 0);
    show("file");
    gives(0, fchmodat2, AT_FDCWD, "file", 0600, AT_SYMLINK_NOFOLLOW);
    show("file");
    fails(EOPNOTSUPP, fchmodat2, AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW);
    int fd = open("file", O_PATH);
    gives(0, fchmodat2, fd, "", 0711, AT_EMPTY_PATH);
    show("file");
    fails(ENOENT, fchmodat2, AT_FDCWD, "", 0711, 0);
    fails(EINVAL, fchmodat2, AT_FDCWD, "file", 0711, 1);
    fails(EBADF, fchmodat2, 99, "file", 0711, 0);
    fails(EBADF, fchmodat2, 99, "", 0711, AT_EMPTY_PATH);
    fails(ENOTDIR, fchmodat2, fd, "file", 0711, 0);
    fails_on_bad_paths(fchmodat2, AT_FDCWD, path, 0700, 0);
    in_child("somebody", somebody);
    mkdir("closed", 0755);
    put("closed/file", "");
    mount("closed", "closed", NULL, MS_BIND, NULL);
    mount("closed", "closed", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
    fails(EROFS, fchmodat2, AT_FDCWD, "closed/file", 0700, 0);
    umount("closed");
}
