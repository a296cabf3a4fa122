/* What dup() and fork() share of an open file, and what open() does not. */
#include "abi.h"

static int fd;

static void child(void) {
    char bytes[4];
    gives(2, read, fd, bytes, 2);
    gives(0, fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK);
    gives(0, fcntl, fd, F_SETFD, FD_CLOEXEC);
}

int main(void) {
    char bytes[8];
    put("file", "0123456789");
    fd = open("file", O_RDWR);
    int copy = dup(fd), other = open("file", O_RDWR);
    gives(3, read, fd, bytes, 3);
    gives(3, lseek, copy, 0, SEEK_CUR);
    gives(0, lseek, other, 0, SEEK_CUR);
    in_child("child", child);
    gives(5, lseek, fd, 0, SEEK_CUR);
    is("flags", fcntl(copy, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
    is("of another", fcntl(other, F_GETFL) & (O_APPEND | O_NONBLOCK), 0);
    gives(0, fcntl, fd, F_GETFD);
    gives(1, write, copy, "x", 1);
    gives(11, lseek, fd, 0, SEEK_CUR);
    gives(0, fcntl, fd, F_SETFL, 0);
    gives(0, fcntl, copy, F_SETFD, FD_CLOEXEC);
    gives(0, fcntl, fd, F_GETFD);
    gives(1, fcntl, copy, F_GETFD);
}
