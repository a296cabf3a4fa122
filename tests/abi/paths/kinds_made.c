/* mknod: each kind, by root and by somebody; devices open what their numbers say. */
#include "abi.h"

#include <sys/sysmacros.h>

static void kind(const char *path) {
    struct stat seen;
    lstat(path, &seen);
    say("%s: %06o %u:%u", path, seen.st_mode, major(seen.st_rdev), minor(seen.st_rdev));
}

static void somebody(void) {
    be(SOMEBODY);
    gives(0, mknod, "public/fifo", S_IFIFO | 0600, 0);
    gives(0, mknod, "public/file", S_IFREG | 0600, 0);
    gives(0, mknod, "public/plain", 0600, 0);
    gives(0, mknod, "public/socket", S_IFSOCK | 0600, 0);
    fails(EPERM, mknod, "public/char", S_IFCHR | 0600, makedev(1, 3));
    fails(EPERM, mknod, "public/block", S_IFBLK | 0600, makedev(1, 3));
    fails(EACCES, mknod, "fifo2", S_IFIFO | 0600, 0);
    kind("public/plain");
    kind("public/socket");
}

int main(void) {
    char data[8];
    chmod(".", 0755);
    mkdir("public", 0777);
    chmod("public", 0777);
    gives(0, mknod, "null", S_IFCHR | 0666, makedev(1, 3));
    gives(0, mknod, "zero", S_IFCHR | 0666, makedev(1, 5));
    gives(0, mknod, "full", S_IFCHR | 0666, makedev(1, 7));
    gives(0, mknod, "unknown", S_IFCHR | 0666, makedev(250, 77));
    gives(0, mknod, "block", S_IFBLK | 0600, makedev(250, 12345));
    gives(0, mknod, "fifo", S_IFIFO | 0644, makedev(1, 2));
    gives(0, mknod, "socket", S_IFSOCK | 0644, 0);
    gives(0, mknod, "file", S_IFREG | 0644, makedev(4, 4));
    kind("null");
    kind("block");
    kind("fifo");
    kind("socket");
    kind("file");
    fails(EPERM, mknod, "folder", S_IFDIR | 0755, 0);
    fails(EINVAL, mknod, "link", S_IFLNK | 0755, 0);
    fails(EINVAL, mknod, "odd", 0170000 | 0755, 0);
    fails(EEXIST, mknod, "null", S_IFREG | 0755, 0);
    int fd = works(open, "null", O_RDWR);
    gives(0, read, fd, data, 8);
    gives(8, write, fd, data, 8);
    fd = works(open, "zero", O_RDWR);
    data[0] = 1;
    gives(8, read, fd, data, 8);
    is("zero", data[0], 0);
    fd = works(open, "full", O_RDWR);
    gives(8, read, fd, data, 8);
    fails(ENOSPC, write, fd, data, 8);
    fails(ENXIO, open, "unknown", O_RDWR);
    fails(ENXIO, open, "socket", O_RDWR);
    fails(ENXIO, open, "socket", O_RDONLY | O_TRUNC);
    works(open, "socket", O_PATH);
    works(open, "unknown", O_PATH);
    in_child("somebody", somebody);
}
