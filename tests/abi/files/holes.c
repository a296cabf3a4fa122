/* Files with holes: where data begins and ends, and what holes read as. */
#include "abi.h"

#include <linux/falloc.h>

enum { MEGABYTE = 1 << 20 };

static void map(int fd) {
    struct stat seen;
    fstat(fd, &seen);
    off_t at = 0;
    while (at < seen.st_size) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            break;
        off_t hole = lseek(fd, data, SEEK_HOLE);
        say("data from %ld to %ld", (long)data, (long)hole);
        at = hole;
    }
    say("of %ld", (long)seen.st_size);
}

int main(void) {
    char data[8192];
    memset(data, 'd', sizeof data);
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    fails(ENXIO, lseek, fd, 0, SEEK_DATA);
    fails(ENXIO, lseek, fd, 0, SEEK_HOLE);
    gives(0, ftruncate, fd, 8 * MEGABYTE);
    map(fd);
    gives(0, lseek, fd, 0, SEEK_HOLE);
    fails(ENXIO, lseek, fd, 0, SEEK_DATA);
    gives(8192, pwrite64, fd, data, 8192, MEGABYTE);
    gives(4096, pwrite64, fd, data, 4096, 3 * MEGABYTE);
    map(fd);
    gives(MEGABYTE, lseek, fd, 5000, SEEK_DATA);
    gives(MEGABYTE + 1, lseek, fd, MEGABYTE + 1, SEEK_DATA);
    gives(MEGABYTE + 8192, lseek, fd, MEGABYTE + 1, SEEK_HOLE);
    gives(5000, lseek, fd, 5000, SEEK_HOLE);
    fails(ENXIO, lseek, fd, 4 * MEGABYTE, SEEK_DATA);
    gives(4 * MEGABYTE, lseek, fd, 4 * MEGABYTE, SEEK_HOLE);
    fails(ENXIO, lseek, fd, 8 * MEGABYTE, SEEK_HOLE);
    fails(ENXIO, lseek, fd, -1, SEEK_DATA);
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MEGABYTE + 4096, 4096);
    map(fd);
    gives(4096, pread64, fd, data, 4096, MEGABYTE + 4096);
    is("first", data[0], 0);
    is("last", data[4095], 0);
    gives(4096, pwrite64, fd, data, 4096, 8 * MEGABYTE - 4096);
    map(fd);
    gives(8 * MEGABYTE, lseek, fd, 8 * MEGABYTE - 1, SEEK_HOLE);
    gives(0, ftruncate, fd, 2 * MEGABYTE);
    map(fd);
    /* What is cut off and given back reads as zeros, within a page too. */
    memset(data, 'e', sizeof data);
    pwrite(fd, data, 4096, 0);
    gives(0, ftruncate, fd, 100);
    gives(0, ftruncate, fd, 4096);
    gives(4096, pread64, fd, data, 4096, 0);
    say("%d %d %d", data[99], data[100], data[4095]);
}
