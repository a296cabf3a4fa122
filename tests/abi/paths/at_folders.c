/* Calls that take a folder's descriptor: a bad one, one of a file, and one that is used. */
#include "abi.h"

int main(void) {
    struct timeval times[2] = {{1, 2}, {3, 4}};
    char space[256];
    put("file", "");
    mkdir("d", 0755);
    int file = open("file", O_RDONLY), d = open("d", O_PATH);
    fails(EBADF, mkdirat, -1, "x", 0755);
    fails(ENOTDIR, mkdirat, file, "x", 0755);
    gives(0, mkdirat, d, "x", 0755);
    fails(EEXIST, mkdirat, d, "x", 0755);
    fails(EBADF, mknodat, -1, "x", S_IFREG, 0);
    gives(0, mknodat, d, "file", S_IFREG | 0644, 0);
    fails(EEXIST, mknodat, d, "file", S_IFREG | 0644, 0);
    fails(EBADF, fchownat, -1, "x", 0, 0, 0);
    gives(0, fchownat, d, "file", 5, 6, 0);
    gives(0, fchownat, file, "", 7, 8, AT_EMPTY_PATH);
    fails(EINVAL, fchownat, d, "file", 0, 0, 0x8000);
    fails(EBADF, futimesat, -1, "x", times);
    gives(0, futimesat, d, "file", times);
    gives(0, futimesat, file, NULL, times);
    fails(EBADF, utimensat, -1, "x", NULL, 0);
    gives(0, utimensat, d, "file", NULL, 0);
    gives(0, utimensat, file, NULL, NULL, 0);
    fails(EINVAL, utimensat, d, "file", NULL, 0x8000);
    fails(EBADF, unlinkat, -1, "x", 0);
    fails(EISDIR, unlinkat, d, "x", 0);
    fails(ENOTDIR, unlinkat, d, "file", AT_REMOVEDIR);
    fails(EINVAL, unlinkat, d, "file", 0x8000);
    gives(0, unlinkat, d, "x", AT_REMOVEDIR);
    fails(EBADF, renameat, -1, "x", AT_FDCWD, "y");
    fails(EBADF, renameat, AT_FDCWD, "file", -1, "y");
    gives(0, renameat, d, "file", AT_FDCWD, "moved");
    fails(EBADF, renameat2, -1, "x", AT_FDCWD, "y", 0);
    gives(0, renameat2, AT_FDCWD, "moved", d, "file", RENAME_NOREPLACE);
    fails(EBADF, linkat, -1, "x", AT_FDCWD, "y", 0);
    gives(0, linkat, d, "file", AT_FDCWD, "second", 0);
    fails(EEXIST, linkat, d, "file", AT_FDCWD, "second", 0);
    fails(EINVAL, linkat, d, "file", AT_FDCWD, "third", 0x8000);
    gives(0, linkat, file, "", AT_FDCWD, "third", AT_EMPTY_PATH);
    fails(EBADF, symlinkat, "to", -1, "x");
    gives(0, symlinkat, "to", d, "link");
    fails(EEXIST, symlinkat, "to", d, "link");
    fails(EBADF, readlinkat, -1, "x", space, 10);
    gives(2, readlinkat, d, "link", space, 10);
    gives(1, readlinkat, d, "link", space, 1);
    fails(EINVAL, readlinkat, d, "link", space, 0);
    fails(EINVAL, readlinkat, d, "file", space, 10);
    int link = openat(d, "link", O_PATH | O_NOFOLLOW);
    gives(2, readlinkat, link, "", space, 10);
    fails(EBADF, fchmodat, -1, "x", 0644);
    gives(0, fchmodat, d, "file", 0600);
}
