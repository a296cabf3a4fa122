/* readlink: how much, where, and of what. */
#include "abi.h"

int main(void) {
    char text[32];
    symlink("0123456789", "link");
    memset(text, '#', 32);
    gives(10, readlink, "link", text, 32);
    is("no end", text[10], '#');
    gives(4, readlink, "link", text, 4);
    fails(EINVAL, readlink, "link", text, 0);
    fails(EINVAL, readlink, "link", text, -1);
    fails(EFAULT, readlink, "link", BAD, 10);
    fails(EINVAL, readlink, ".", text, 32);
    fails(ENOENT, symlink, "", "empty");
    fails(EEXIST, symlink, "x", "link");
    int fd = open("link", O_PATH | O_NOFOLLOW);
    gives(10, readlinkat, fd, "", text, 32);
    fails(ENOENT, readlinkat, AT_FDCWD, "", text, 32);
    fails(ENOTDIR, readlinkat, fd, "x", text, 32);
    struct stat seen;
    lstat("link", &seen);
    is("size", seen.st_size, 10);
    is("mode", seen.st_mode & 07777, 0777);
}
