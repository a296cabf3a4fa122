/* What a file system that is mounted read-only refuses. */
#include "abi.h"

#include <sys/mount.h>
#include <utime.h>

int main(void) {
    struct timeval times[2] = {{1, 2}, {3, 4}};
    mkdir("m", 0755);
    gives(0, mount, "none", "m", "tmpfs", 0, NULL);
    put("m/file", "x");
    mkdir("m/d", 0755);
    gives(0, mount, "none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    works(open, "m/file", O_RDONLY);
    fails(EROFS, open, "m/file", O_WRONLY);
    fails(EROFS, open, "m/new", O_WRONLY | O_CREAT, 0644);
    works(open, "m/file", O_RDONLY | O_CREAT, 0644);
    fails(EROFS, openat, AT_FDCWD, "m/file", O_RDWR);
    fails(EROFS, openat2, AT_FDCWD, "m/file", (uint64_t[]){O_RDWR, 0, 0}, 24);
    fails(EROFS, creat, "m/file", 0644);
    fails(EROFS, truncate, "m/file", 0);
    fails(EROFS, mkdir, "m/new", 0755);
    fails(EROFS, mkdirat, AT_FDCWD, "m/new", 0755);
    fails(EEXIST, mkdir, "m/d", 0755);
    fails(EROFS, rmdir, "m/d");
    fails(EROFS, unlink, "m/file");
    fails(EROFS, unlinkat, AT_FDCWD, "m/file", 0);
    fails(EROFS, rename, "m/file", "m/other");
    fails(EROFS, renameat, AT_FDCWD, "m/file", AT_FDCWD, "m/other");
    fails(EROFS, renameat2, AT_FDCWD, "m/file", AT_FDCWD, "m/other", 0);
    fails(EROFS, link, "m/file", "m/other");
    fails(EROFS, linkat, AT_FDCWD, "m/file", AT_FDCWD, "m/other", 0);
    fails(EROFS, symlink, "x", "m/link");
    fails(EROFS, symlinkat, "x", AT_FDCWD, "m/link");
    fails(EROFS, mknod, "m/node", S_IFREG | 0644, 0);
    fails(EROFS, mknodat, AT_FDCWD, "m/node", S_IFREG | 0644, 0);
    fails(EROFS, chmod, "m/file", 0600);
    fails(EROFS, fchmodat, AT_FDCWD, "m/file", 0600);
    fails(EROFS, chown, "m/file", 0, 0);
    fails(EROFS, lchown, "m/file", 0, 0);
    fails(EROFS, fchownat, AT_FDCWD, "m/file", 0, 0, 0);
    fails(EROFS, utime, "m/file", NULL);
    fails(EROFS, utimes, "m/file", times);
    fails(EROFS, futimesat, AT_FDCWD, "m/file", times);
    fails(EROFS, utimensat, AT_FDCWD, "m/file", NULL, 0);
    fails(EROFS, access, "m/file", W_OK);
    gives(0, access, "m/file", R_OK);
    fails(EROFS, faccessat, AT_FDCWD, "m/file", W_OK);
    fails(EROFS, faccessat2, AT_FDCWD, "m/file", W_OK, 0);
    fails(EBUSY, rmdir, "m");
    fails(EBUSY, unlinkat, AT_FDCWD, "m", AT_REMOVEDIR);
    fails(EBUSY, rename, "m", "n");
    gives(0, umount2, "m", MNT_DETACH);
}
