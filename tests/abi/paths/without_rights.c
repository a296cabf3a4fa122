/* Kinds of files that an ordinary user may not make, and folders he may not change. */
#include "abi.h"

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, mknod, "shared/c", S_IFCHR | 0600, 0x103);
    fails(EPERM, mknod, "shared/b", S_IFBLK | 0600, 0x103);
    gives(0, mknod, "shared/p", S_IFIFO | 0600, 0);
    gives(0, mknod, "shared/s", S_IFSOCK | 0600, 0);
    gives(0, mknod, "shared/f", 0600, 0);
    fails(EPERM, mknod, "shared/d", S_IFDIR | 0600, 0);
    fails(EINVAL, mknod, "shared/x", 0170000, 0);
    fails(EACCES, mknod, "mine/p", S_IFIFO | 0600, 0);
    fails(EACCES, open, "mine/f", O_CREAT | O_RDWR, 0600);
    fails(EACCES, mkdir, "mine/d", 0700);
    fails(EACCES, symlink, "x", "mine/l");
    fails(EACCES, link, "shared/f", "mine/l");
    fails(EACCES, rename, "shared/f", "mine/f");
    fails(EPERM, chroot, "shared");
    fails(EPERM, mount, "shared", "shared", NULL, 4096, NULL);
    fails(EPERM, umount2, "shared", 0);
}

int main(void) {
    mkdir("mine", 0755);
    mkdir("shared", 0700);
    chmod("shared", 0777);
    in_child("somebody", somebody);
}
