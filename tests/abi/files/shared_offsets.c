/* Offsets belong to open files: shared by dup and fork, not by a second open. */
#include "abi.h"

static int fd;

static void reads_two(void) {
    char data[2];
    gives(2, read, fd, data, 2);
    gives(4, lseek, fd, 0, SEEK_CUR);
}

int main(void) {
    char data[4];
    put("file", "0123456789");
    fd = open("file", O_RDONLY);
    int copy = dup(fd), other = open("file", O_RDONLY);
    gives(2, read, copy, data, 2);
    gives(2, lseek, fd, 0, SEEK_CUR);
    gives(0, lseek, other, 0, SEEK_CUR);
    in_child("child", reads_two);
    gives(4, lseek, fd, 0, SEEK_CUR);
    gives(0, fcntl, fd, F_SETFL, O_NONBLOCK);
    gives(O_NONBLOCK | 0100000, fcntl, copy, F_GETFL);
    gives(0100000, fcntl, other, F_GETFL);
}
