/* mkdir, rmdir, link, unlink, symlink, readlink, mknod: what they make and what they refuse. */
#include "abi.h"

#include <sys/sysmacros.h>

int main(void) {
    struct stat seen;
    char space[64];
    gives(0, mkdir, "d", 0777);
    stat("d", &seen);
    say("%o", seen.st_mode);
    fails(EEXIST, mkdir, "d", 0755);
    fails(EEXIST, mkdir, ".", 0755);
    fails(EEXIST, mkdir, "/", 0755);
    gives(0, mkdir, "e/", 01700);
    stat("e", &seen);
    say("%o", seen.st_mode);
    fails(ENOTEMPTY, rmdir, "..");
    fails(EINVAL, rmdir, "d/.");
    fails(ENOTEMPTY, rmdir, "d/..");
    put("file", "");
    fails(ENOTDIR, rmdir, "file");
    fails(ENOTEMPTY, unlinkat, AT_FDCWD, "..", AT_REMOVEDIR);
    gives(0, rmdir, "d");
    gives(0, link, "file", "second");
    fails(EEXIST, link, "file", "second");
    fails(EPERM, link, "e", "folder");
    fails(EPERM, linkat, AT_FDCWD, "e", AT_FDCWD, "folder", 0);
    fails(EXDEV, link, "file", "/dev/file");
    fails(EXDEV, linkat, AT_FDCWD, "file", AT_FDCWD, "/dev/file", 0);
    stat("file", &seen);
    is("links", seen.st_nlink, 2);
    gives(0, symlink, "file", "link");
    fails(EEXIST, symlink, "x", "link");
    fails(ENOENT, symlink, "", "empty");
    gives(0, link, "link", "hard");
    lstat("hard", &seen);
    is("a link to the link", S_ISLNK(seen.st_mode), 1);
    gives(0, linkat, AT_FDCWD, "link", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW);
    lstat("followed", &seen);
    is("a link to the file", S_ISREG(seen.st_mode), 1);
    gives(4, readlink, "link", space, sizeof space);
    fails(EINVAL, readlink, "file", space, sizeof space);
    fails(EINVAL, readlink, "link", space, -1);
    fails(EFAULT, readlink, "link", BAD, 10);
    fails(EISDIR, unlink, "e");
    fails(EISDIR, unlink, "/");
    fails(ENOTDIR, unlink, "file/");
    fails(ENOENT, unlink, "nothing/");
    gives(0, unlink, "link");
    gives(0, unlink, "hard");
    gives(0, mknod, "fifo", S_IFIFO | 0622, 0);
    stat("fifo", &seen);
    say("%o", seen.st_mode);
    gives(0, mknod, "plain", 0644, 0);
    stat("plain", &seen);
    say("%o", seen.st_mode);
    fails(EEXIST, mknod, "fifo", S_IFREG, 0);
    fails(EPERM, mknod, "x", S_IFDIR | 0755, 0);
    fails(EINVAL, mknod, "x", 0170000, 0);
    fails(EPERM, mknodat, AT_FDCWD, "x", S_IFDIR | 0755, 0);
    fails(EINVAL, mknodat, AT_FDCWD, "x", 0170000, 0);
    gives(0, mknod, "null", S_IFCHR | 0666, makedev(1, 3));
    stat("null", &seen);
    say("%o %d,%d", seen.st_mode, (int)major(seen.st_rdev), (int)minor(seen.st_rdev));
    be(SOMEBODY);
    fails(EPERM, mknod, "null2", S_IFCHR | 0666, makedev(1, 3));
    gives(0, mknod, "fifo2", S_IFIFO | 0600, 0);
}
