/* fsopen, fsconfig, fsmount, fspick: a file system set up step by step. */
#include "abi.h"

enum { FLAG, STRING, BINARY, PATH, PATH_EMPTY, FD, CREATE, RECONFIGURE };
enum { READ_ONLY = 1, NO_EXECUTE = 8 };
enum { FROM_EMPTY = 4 };

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, fsopen, "tmpfs", 0);
    fails(EPERM, fsmount, 0, 0, 0);
    fails(EPERM, fspick, AT_FDCWD, ".", 0);
}

static void many(void) {
    struct rlimit few = {10, 10};
    int context = works(fsopen, "tmpfs", 0);
    gives(0, fsconfig, context, CREATE, NULL, NULL, 0);
    setrlimit(RLIMIT_NOFILE, &few);
    while (dup(0) >= 0)
        ;
    fails(EMFILE, fsopen, "tmpfs", 0);
    fails(EMFILE, fsmount, context, 0, 0);
    fails(EMFILE, fspick, AT_FDCWD, "d", 0);
}

int main(void) {
    char text[64];
    mkdir("d", 0755);
    int other = open("/dev/null", O_RDWR), context = works(fsopen, "tmpfs", 1);
    gives(FD_CLOEXEC, fcntl, context, F_GETFD);
    fails(ENODATA, read, context, text, sizeof text);
    fails(EBUSY, fsconfig, context, RECONFIGURE, NULL, NULL, 0);
    fails(EINVAL, fsmount, context, 0, 0);
    gives(0, fsconfig, context, STRING, "source", "somewhere", 0);
    gives(0, fsconfig, context, STRING, "mode", "0750", 0);
    gives(0, fsconfig, context, STRING, "size", "1m", 0);
    fails(EINVAL, fsconfig, context, STRING, "source", "elsewhere", 0);
    fails(EINVAL, fsconfig, -1, CREATE, NULL, NULL, 0);
    fails(EBADF, fsconfig, 99, CREATE, NULL, NULL, 0);
    fails(EINVAL, fsconfig, other, CREATE, NULL, NULL, 0);
    fails(EINVAL, fsconfig, context, CREATE, "mode", NULL, 0);
    fails(EINVAL, fsconfig, context, FLAG, NULL, NULL, 0);
    fails(EINVAL, fsconfig, context, STRING, "mode", NULL, 0);
    fails(EINVAL, fsconfig, context, BINARY, "mode", "x", 0);
    fails(EINVAL, fsconfig, context, FD, "mode", NULL, -1);
    fails(EOPNOTSUPP, fsconfig, context, 99, NULL, NULL, 0);
    fails(EFAULT, fsconfig, context, FLAG, BAD, NULL, 0);
    fails(EFAULT, fsconfig, context, STRING, "mode", BAD, 0);
    gives(0, fsconfig, context, CREATE, NULL, NULL, 0);
    fails(EBUSY, fsconfig, context, CREATE, NULL, NULL, 0);
    fails(EBUSY, fsconfig, context, STRING, "mode", "0700", 0);
    fails(EINVAL, fsmount, context, 2, 0);
    fails(EINVAL, fsmount, context, 0, 0x70);
    fails(EINVAL, fsmount, context, 0, 0x10000000);
    fails(EBADF, fsmount, 99, 0, 0);
    fails(EINVAL, fsmount, other, 0, 0);
    int tree = works(fsmount, context, 1, NO_EXECUTE);
    gives(FD_CLOEXEC, fcntl, tree, F_GETFD);
    fails(EBUSY, fsmount, context, 0, 0);
    int file = works(openat, tree, "file", O_WRONLY | O_CREAT, 0644);
    gives(1, write, file, "x", 1);
    close(file);
    gives(0, move_mount, tree, "", AT_FDCWD, "d", FROM_EMPTY);
    say("%s", get("d/file"));
    struct stat there;
    stat("d", &there);
    is("mode", there.st_mode & 0777, 0750);
    fails(EFAULT, fsopen, BAD, 0);
    fails(EINVAL, fsopen, "tmpfs", 2);
    fails(ENODEV, fsopen, "nonsense", 0);
    int picked = works(fspick, AT_FDCWD, "d", 1);
    fails(EBUSY, fsconfig, picked, CREATE, NULL, NULL, 0);
    gives(0, fsconfig, picked, FLAG, "ro", NULL, 0);
    gives(0, fsconfig, picked, RECONFIGURE, NULL, NULL, 0);
    fails(EROFS, open, "d/other", O_WRONLY | O_CREAT, 0644);
    fails(EINVAL, fspick, AT_FDCWD, "d", 64);
    fails(EINVAL, fspick, AT_FDCWD, "/proc/self", 0);
    fails(EBADF, fspick, 99, "d", 0);
    fails_on_bad_paths(fspick, AT_FDCWD, path, 0);
    in_child("many", many);
    close(picked);
    close(context);
    fails(EBUSY, umount2, "d", 0);
    close(tree);
    gives(0, umount2, "d", 0);
    /* One that is put nowhere goes with its descriptor. */
    context = works(fsopen, "tmpfs", 0);
    gives(0, fsconfig, context, CREATE, NULL, NULL, 0);
    works(fsmount, context, 0, READ_ONLY);
    in_child("somebody", somebody);
}
