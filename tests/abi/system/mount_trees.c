/* open_tree, move_mount, mount_setattr: mounts by descriptor. */
#include "abi.h"

#include <sys/mount.h>

enum { CLONE = 1, FROM_LINKS = 1, FROM_EMPTY = 4, TO_EMPTY = 0x40, RECURSIVE = 0x8000 };
enum { READ_ONLY = 1, NO_EXECUTE = 8, ACCESSED = 0x70 };

struct attributes {
    uint64_t set, clear, sharing, user;
};

static void somebody(void) {
    struct attributes some = {READ_ONLY};
    be(SOMEBODY);
    works(open_tree, AT_FDCWD, ".", 0);
    fails(EPERM, open_tree, AT_FDCWD, ".", CLONE);
    fails(EPERM, move_mount, AT_FDCWD, "d", AT_FDCWD, "e", 0);
    fails(EPERM, mount_setattr, AT_FDCWD, "d", 0, &some, sizeof some);
}

static void trees(void) {
    put("d/file", "seen");
    int place = works(open_tree, AT_FDCWD, "d", O_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, place, F_GETFD);
    fails(EBADF, read, place, NULL, 0);
    int there = works(openat, place, "file", O_RDONLY);
    close(there);
    int tree = works(open_tree, AT_FDCWD, "d", CLONE);
    there = works(openat, tree, "file", O_RDONLY);
    close(there);
    gives(0, move_mount, tree, "", AT_FDCWD, "e", FROM_EMPTY);
    say("%s", get("e/file"));
    gives(0, move_mount, AT_FDCWD, "e", AT_FDCWD, "f", 0);
    say("%s", get("f/file"));
    is("no longer", access("e/file", F_OK), -1);
    fails(ELOOP, move_mount, AT_FDCWD, "f", AT_FDCWD, "f/below", 0);
    fails(EINVAL, move_mount, AT_FDCWD, "f/below", AT_FDCWD, "e", 0);
    fails(EINVAL, move_mount, AT_FDCWD, "f", AT_FDCWD, "e", 0x10000);
    fails(EINVAL, move_mount, AT_FDCWD, "f", AT_FDCWD, "f/file", 0);
    fails(EBADF, move_mount, 99, "f", AT_FDCWD, "e", 0);
    fails(EBADF, move_mount, AT_FDCWD, "f", 99, "e", 0);
    fails_on_bad_paths(move_mount, AT_FDCWD, path, AT_FDCWD, "e", FROM_LINKS);
    fails(EINVAL, open_tree, AT_FDCWD, "d", 0x10000);
    fails(EINVAL, open_tree, AT_FDCWD, "d", RECURSIVE);
    fails(EBADF, open_tree, 99, "d", 0);
    fails_on_bad_paths(open_tree, AT_FDCWD, path, 0);
    close(place);
    close(tree);
    /* A file, too, can be where a file is seen. */
    tree = works(open_tree, AT_FDCWD, "d/file", CLONE);
    put("target", "hidden");
    gives(0, move_mount, tree, "", AT_FDCWD, "target", FROM_EMPTY);
    close(tree);
    say("%s", get("target"));
    gives(0, umount2, "target", 0);
    say("%s", get("target"));
}

/* With what is mounted below, or without. */
static void deep(void) {
    mkdir("from", 0755), mkdir("from/one", 0755), mkdir("from/two", 0755), mkdir("to", 0755);
    gives(0, mount, "none", "from/one", "tmpfs", 0, NULL);
    mkdir("from/one/more", 0755), mkdir("from/two/below", 0755);
    gives(0, mount, "none", "from/one/more", "tmpfs", 0, NULL);
    gives(0, mount, "none", "from/two/below", "tmpfs", 0, NULL);
    put("from/one/more/file", "more");
    put("from/two/below/file", "below");
    gives(0, mount, "from", "to", NULL, MS_BIND, NULL);
    is("not below", access("to/one/more", F_OK), -1);
    gives(0, umount2, "to", 0);
    gives(0, mount, "from", "to", NULL, MS_BIND | MS_REC, NULL);
    say("%s", get("to/one/more/file"));
    say("%s", get("to/two/below/file"));
    fails(EBUSY, umount2, "to", 0);
    gives(0, umount2, "to", MNT_DETACH);
    gives(0, mount, "from/two", "to", NULL, MS_BIND | MS_REC, NULL);
    say("%s", get("to/below/file"));
    is("nothing else", access("to/one", F_OK), -1);
    gives(0, umount2, "to", MNT_DETACH);
    /* Into itself: what is new is not copied. */
    gives(0, mount, "from", "from/two", NULL, MS_BIND | MS_REC, NULL);
    say("%s", get("from/two/one/more/file"));
    gives(0, umount2, "from/two", MNT_DETACH);
    say("%s", get("from/two/below/file"));
    gives(0, umount2, "from/two/below", 0);
    gives(0, umount2, "from/one", MNT_DETACH);
}

static void attributes(void) {
    struct attributes some = {NO_EXECUTE | READ_ONLY}, none = {0}, wrong = {0x10000000},
                      half = {0, 0x10}, sharing = {0, 0, 1};
    char much[64] = {READ_ONLY};
    gives(0, mount_setattr, AT_FDCWD, "f", 0, &some, sizeof some);
    fails(EROFS, open, "f/other", O_WRONLY | O_CREAT, 0644);
    works(open, "d/other", O_WRONLY | O_CREAT, 0644);
    some = (struct attributes){0, READ_ONLY};
    gives(0, mount_setattr, AT_FDCWD, "f", RECURSIVE, &some, sizeof some);
    int made = works(open, "f/again", O_WRONLY | O_CREAT, 0755);
    gives(9, write, made, "#!/bin/sh", 9);
    close(made);
    fails(EACCES, execve, "f/again", (char *[]){"again", NULL}, NULL);
    gives(0, mount_setattr, AT_FDCWD, "f", 0, &none, sizeof none);
    gives(0, mount_setattr, AT_FDCWD, "f", 0, much, sizeof much);
    much[40] = 1;
    fails(E2BIG, mount_setattr, AT_FDCWD, "f", 0, much, sizeof much);
    fails(E2BIG, mount_setattr, AT_FDCWD, "f", 0, much, 1 << 20);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f", 0, &some, 8);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f", 64, &some, sizeof some);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f", 0, &wrong, sizeof wrong);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f", 0, &half, sizeof half);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f", 0, &sharing, sizeof sharing);
    fails(EINVAL, mount_setattr, AT_FDCWD, "f/below", 0, &some, sizeof some);
    fails(EFAULT, mount_setattr, AT_FDCWD, "f", 0, BAD, sizeof some);
    fails(EBADF, mount_setattr, 99, "f", 0, &some, sizeof some);
    fails_on_bad_paths(mount_setattr, AT_FDCWD, path, 0, &some, sizeof some);
}

static void many(void) {
    struct rlimit few = {10, 10};
    setrlimit(RLIMIT_NOFILE, &few);
    while (dup(0) >= 0)
        ;
    fails(EMFILE, open_tree, AT_FDCWD, "d", 0);
    fails(EMFILE, open_tree, AT_FDCWD, "d", CLONE);
}

int main(void) {
    /* What is mounted below one that is shared cannot be moved. */
    mkdir("all", 0777);
    mount("none", "all", "tmpfs", 0, NULL);
    mount(NULL, "all", NULL, MS_PRIVATE, NULL);
    chdir("all");
    mkdir("d", 0755), mkdir("d/below", 0755), mkdir("e", 0755), mkdir("f", 0755);
    trees();
    attributes();
    deep();
    in_child("many", many);
    in_child("somebody", somebody);
    gives(0, umount2, "f", 0);
    chdir("..");
    umount2("all", MNT_DETACH);
}
