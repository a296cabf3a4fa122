/* fallocate: what room was kept for can be written when there is none left; and there may be none.
 */
#include "abi.h"

#include <linux/falloc.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define PAGE  4096
#define PAGES 32

static long left(void) {
    struct statfs of;
    statfs("small", &of);
    return of.f_bfree * of.f_bsize / PAGE;
}

static long blocks(int fd) {
    struct stat stat;
    fstat(fd, &stat);
    return stat.st_blocks / (PAGE / 512);
}

static long size(int fd) {
    return lseek(fd, 0, SEEK_END);
}

int main(void) {
    static char data[PAGES * PAGE];
    memset(data, 'd', sizeof data);
    unshare(CLONE_NEWNS);
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mkdir("small", 0755);
    gives(0, mount, "none", "small", "tmpfs", 0, "size=128k,mode=755");
    int fd = open("small/kept", O_RDWR | O_CREAT, 0600);
    int other = open("small/other", O_RDWR | O_CREAT, 0600);
    is("left", left(), PAGES);
    gives(0, fallocate, fd, 0, 100, 3 * PAGE);
    is("size", size(fd), 3 * PAGE + 100);
    is("pages", blocks(fd), 4);
    is("left", left(), PAGES - 4);
    fails(ENXIO, lseek, fd, 0, SEEK_DATA);
    gives(0, lseek, fd, 0, SEEK_HOLE);
    char byte = 'x';
    gives(1, pread64, fd, &byte, 1, 5000);
    is("zero", byte, 0);
    gives(1, pwrite64, fd, "x", 1, PAGE + 1);
    gives(PAGE, lseek, fd, 0, SEEK_DATA);
    gives(2 * PAGE, lseek, fd, PAGE, SEEK_HOLE);

    /* Behind the end. */
    gives(0, fallocate, fd, FALLOC_FL_KEEP_SIZE, 8 * PAGE, 2 * PAGE);
    is("size", size(fd), 3 * PAGE + 100);
    is("pages", blocks(fd), 6);

    /* Too much: nothing has changed. */
    fails(ENOSPC, fallocate, other, 0, 0, (PAGES - 5) * PAGE);
    is("size", size(other), 0);
    is("pages", blocks(other), 0);
    fails(ENOSPC, fallocate, fd, 0, 0, (PAGES + 1) * PAGE);
    is("size", size(fd), 3 * PAGE + 100);
    is("pages", blocks(fd), 6);
    is("left", left(), PAGES - 6);

    /* All the rest is somebody else's. */
    gives((PAGES - 6) * PAGE, write, other, data, sizeof data);
    is("left", left(), 0);
    fails(ENOSPC, pwrite64, other, "x", 1, (PAGES - 6) * PAGE);
    gives(4 * PAGE, pwrite64, fd, data, 4 * PAGE, 0);
    gives(2 * PAGE, pwrite64, fd, data, 2 * PAGE, 8 * PAGE);
    fails(ENOSPC, pwrite64, fd, "x", 1, 6 * PAGE);
    is("pages", blocks(fd), 6);

    /* Holes and cutting give it back. */
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
    is("left", left(), 1);
    gives(0, fallocate, other, FALLOC_FL_KEEP_SIZE, (PAGES - 6) * PAGE, PAGE);
    is("left", left(), 0);
    gives(0, ftruncate, other, 0);
    is("left", left(), PAGES - 5);
    gives(0, ftruncate, fd, 0);
    is("left", left(), PAGES);
}
