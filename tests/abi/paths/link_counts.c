/* How many names files and folders have, and what changes that. */
#include "abi.h"

static void count(const char *path) {
    struct stat seen;
    if (lstat(path, &seen))
        say("%s: %s", path, strerrorname_np(errno));
    else
        say("%s: %d", path, (int)seen.st_nlink);
}

int main(void) {
    struct stat seen;
    put("a", "text");
    count("a");
    gives(0, link, "a", "b");
    gives(0, link, "b", "c");
    count("a");
    int fd = open("a", O_RDWR);
    gives(0, unlink, "a");
    count("a");
    count("c");
    gives(0, rename, "b", "c");
    count("b");
    count("c");
    put("d", "");
    gives(0, rename, "d", "c");
    count("c");
    fstat(fd, &seen);
    is("held by nothing but a descriptor", seen.st_nlink, 1);
    unlink("b");
    fstat(fd, &seen);
    is("now", seen.st_nlink, 0);
    mkdir("folder", 0755);
    count("folder");
    mkdir("folder/one", 0755);
    mkdir("folder/two", 0755);
    count("folder");
    put("folder/file", "");
    count("folder");
    count("folder/one");
    mkdir("other", 0755);
    gives(0, rename, "folder/one", "other/one");
    count("folder");
    count("other");
    gives(0, rename, "folder/two", "other/one");
    count("folder");
    count("other");
    gives(0, renameat2, AT_FDCWD, "folder/file", AT_FDCWD, "other/one", RENAME_EXCHANGE);
    count("folder");
    count("other");
    gives(0, rmdir, "folder/file");
    count("folder");
    fd = open("folder", O_RDONLY);
    unlink("folder/file");
    mkdir("gone", 0755);
    int gone = open("gone", O_RDONLY);
    rmdir("gone");
    fstat(gone, &seen);
    is("a folder that is gone", seen.st_nlink, 0);
    symlink("c", "soft");
    gives(0, link, "soft", "soft too");
    count("soft");
    count("c");
    fails(EPERM, link, "folder", "second");
    fails(EEXIST, link, "c", "soft");
    fails(EXDEV, link, "c", "/dev/c");
}
