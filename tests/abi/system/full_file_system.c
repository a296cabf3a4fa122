/* A file system that has no room left. */
#include "abi.h"

#include <sys/mount.h>

int main(void) {
    static char much[1 << 20];
    mkdir("m", 0755);
    gives(0, mount, "none", "m", "tmpfs", 0, "size=64k");
    int fd = open("m/file", O_RDWR | O_CREAT, 0644);
    gives(65536, write, fd, much, sizeof much);
    fails(ENOSPC, write, fd, "x", 1);
    fails(ENOSPC, pwrite64, fd, "x", 1, 1 << 20);
    gives(1, pwrite64, fd, "x", 1, 0);
    gives(0, ftruncate, fd, 4096);
    gives(1, pwrite64, fd, "x", 1, 8192);
    close(fd);
    gives(0, umount2, "m", 0);
}
