/* link and linkat: what they name, of links and of descriptors. */
#include "abi.h"

int main(void) {
    put("file", "text");
    symlink("file", "soft");
    gives(0, link, "soft", "hard");
    gives(4, readlink, "hard", (char[16]){}, 16);
    gives(0, linkat, AT_FDCWD, "soft", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW);
    fails(EINVAL, readlink, "followed", (char[16]){}, 16);
    struct stat seen;
    stat("file", &seen);
    is("links", seen.st_nlink, 2);
    int fd = open("file", O_RDONLY);
    gives(0, linkat, fd, "", AT_FDCWD, "by number", AT_EMPTY_PATH);
    fails(EEXIST, link, "file", "by number");
    fails(EPERM, link, ".", "folder");
    fails(ENOENT, link, "missing", "x");
    fails(EINVAL, linkat, AT_FDCWD, "file", AT_FDCWD, "x", 1);
    fails(EXDEV, link, "/proc/self/status", "x");
    unlink("file");
    gives(0, linkat, fd, "", AT_FDCWD, "again", AT_EMPTY_PATH);
}
