/* Calls of paths from a folder that is open, moved, and removed. */
#include "abi.h"

int main(void) {
    mkdir("folder", 0700);
    int fd = open("folder", O_RDONLY | O_DIRECTORY);
    int file = works(openat, fd, "file", O_CREAT | O_RDWR, 0600);
    gives(0, mkdirat, fd, "inner", 0700);
    gives(0, rename, "folder", "moved");
    gives(0, faccessat, fd, "file", F_OK);
    gives(0, renameat, fd, "file", fd, "other");
    gives(0, unlinkat, fd, "other", 0);
    fails(EISDIR, unlinkat, fd, "inner", 0);
    gives(0, unlinkat, fd, "inner", AT_REMOVEDIR);
    gives(0, fchdir, fd);
    gives(0, rmdir, "../moved");
    fails(ENOENT, openat, fd, "file", O_CREAT | O_RDWR, 0600);
    fails(ENOENT, mkdirat, fd, "x", 0700);
    fails(ENOENT, mkdir, "x", 0700);
    fails(ENOENT, symlinkat, "x", fd, "y");
    fails(ENOENT, getcwd, (char[100]){}, 100);
    works(openat, fd, ".", O_RDONLY);
    fails(ENOTDIR, openat, file, "x", O_RDONLY);
    works(openat, 99, "/tmp", O_RDONLY);
    fails(EBADF, openat, 99, "x", O_RDONLY);
}
