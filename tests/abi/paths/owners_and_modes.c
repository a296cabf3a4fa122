/* chmod, chown and their like: what they change, what they take away, whom they refuse. */
#include "abi.h"

static void show(const char *name) {
    struct stat seen;
    if (lstat(name, &seen))
        give_up(name);
    say("%s: %o %d %d", name, seen.st_mode, seen.st_uid, seen.st_gid);
}

static void somebody(void) {
    int fd = open("theirs", O_RDONLY);
    be(SOMEBODY);
    fails(EPERM, chmod, "theirs", 0777);
    fails(EPERM, fchmod, fd, 0777);
    fails(EPERM, fchmodat, AT_FDCWD, "theirs", 0777);
    fails(EPERM, chown, "theirs", SOMEBODY, -1);
    fails(EPERM, lchown, "theirs", SOMEBODY, -1);
    fails(EPERM, fchown, fd, SOMEBODY, -1);
    fails(EPERM, fchownat, AT_FDCWD, "theirs", SOMEBODY, -1, 0);
    fails(EPERM, chown, "mine", 0, -1);
    fails(EPERM, chown, "mine", -1, 0);
    gives(0, chown, "mine", SOMEBODY, SOMEBODY);
    gives(0, chown, "mine", -1, -1);
    show("mine");
    gives(0, chmod, "mine", 02755);
    show("mine");
}

int main(void) {
    put("theirs", "");
    put("mine", "");
    symlink("theirs", "link");
    int fd = open("theirs", O_RDONLY), path = open("theirs", O_PATH);
    gives(0, chmod, "theirs", 06755);
    show("theirs");
    gives(0, chmod, "theirs", 0170644);
    show("theirs");
    gives(0, fchmod, fd, 04711);
    show("theirs");
    gives(0, chown, "theirs", 5, 6);
    show("theirs");
    gives(0, chown, "link", 7, -1);
    gives(0, lchown, "link", 8, 9);
    show("theirs");
    is("link's owner", (lstat("link", &(struct stat){}), 0), 0);
    gives(0, fchown, fd, -1, 10);
    gives(0, fchownat, AT_FDCWD, "link", 1, 1, AT_SYMLINK_NOFOLLOW);
    show("theirs");
    fails(EBADF, fchmod, -1, 0);
    fails(EBADF, fchmod, path, 0);
    fails(EBADF, fchown, -1, 0, 0);
    fails(EBADF, fchown, path, 0, 0);
    chmod("mine", 06777);
    chown("mine", SOMEBODY, SOMEBODY);
    show("mine");
    in_child("somebody", somebody);
}
