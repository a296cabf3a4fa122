/* mount and umount2: what they refuse. */
#include "abi.h"

#include <sys/mount.h>

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, mount, "none", "d", "tmpfs", 0, NULL);
    fails(EPERM, umount2, "d", 0);
    fails(EPERM, swapon, "file", 0);
    fails(EPERM, swapoff, "file");
}

int main(void) {
    mkdir("d", 0755);
    put("file", "");
    gives(0, mount, "none", "d", "tmpfs", MS_NOSUID, "size=1m");
    put("d/file", "x");
    gives(0, mount, "d", "d", NULL, MS_BIND, NULL);
    gives(0, umount2, "d", 0);
    int fd = open("d/file", O_RDONLY);
    fails(EBUSY, umount2, "d", 0);
    gives(0, umount2, "d", MNT_DETACH);
    char byte;
    gives(1, read, fd, &byte, 1);
    close(fd);
    fails(EINVAL, umount2, "d", 0);
    fails(EINVAL, umount2, "d", 64);
    fails(EINVAL, umount2, "d", MNT_EXPIRE | MNT_FORCE);
    gives(0, mount, "none", "d", "proc", 0, NULL);
    gives(0, umount2, "d", 0);
    gives(0, mount, "none", "d", "devtmpfs", 0, NULL);
    fails(EBUSY, mount, "none", "d", "devtmpfs", 0, NULL);
    gives(0, umount2, "d", 0);
    gives(0, mount, "none", "d", "tmpfs", MS_NOEXEC, NULL);
    put("d/script", "#!/bin/sh");
    chmod("d/script", 0755);
    fails(EACCES, execve, "d/script", (char *[]){"script", NULL}, NULL);
    gives(0, umount2, "d", 0);
    fails(EINVAL, swapon, "file", 0);
    fails(EINVAL, swapoff, "file");
    fails_on_bad_paths(swapon, path, 0);
    fails_on_bad_paths(swapoff, path);
    fails(ENODEV, mount, "none", "d", "nonsense", 0, NULL);
    fails(EINVAL, mount, "none", "d", NULL, 0, NULL);
    fails(ENOENT, mount, "none", "nothing", "tmpfs", 0, NULL);
    fails(ENOTDIR, mount, "none", "file", "tmpfs", 0, NULL);
    fails(EINVAL, mount, "none", "d", NULL, MS_REMOUNT, NULL);
    fails(EINVAL, mount, "none", "d", "tmpfs", 0, "size=nonsense");
    fails(EFAULT, mount, "none", "d", BAD, 0, NULL);
    fails_on_bad_paths(mount, "none", path, "tmpfs", 0, NULL);
    fails_on_bad_paths(umount2, path, 0);
    in_child("somebody", somebody);
}
