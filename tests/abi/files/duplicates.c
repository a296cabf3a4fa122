/* dup, dup2, dup3, F_DUPFD, close_range: lowest numbers, holes, itself, limits, refused. */
#include "abi.h"

static void open_ones(const char *what) {
    char line[128] = "";
    for (int fd = 0; fd < 40; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            sprintf(line + strlen(line), " %d%s", fd, fcntl(fd, F_GETFD) ? "*" : "");
    say("%s:%s", what, line);
}

static void shares(void) {
    gives(0, close_range, 5, 8, CLOSE_RANGE_UNSHARE);
    open_ones("own table");
}

int main(void) {
    put("file", "text");
    int fd = open("file", O_RDWR);
    open_ones("at first");
    gives(fd + 1, dup, fd);
    gives(10, dup2, fd, 10);
    gives(12, dup3, fd, 12, O_CLOEXEC);
    gives(fd, dup2, fd, fd);
    fails(EINVAL, dup3, fd, fd, 0);
    fails(EINVAL, dup3, fd, 13, O_NONBLOCK);
    gives(11, fcntl, fd, F_DUPFD, 10);
    gives(20, fcntl, fd, F_DUPFD_CLOEXEC, 20);
    open_ones("made");
    gives(12, dup2, fd, 12);
    open_ones("over one, its flag gone");
    close(4);
    gives(4, dup, 12);
    gives(3, lseek, 20, 3, SEEK_SET);
    gives(3, lseek, 4, 0, SEEK_CUR);
    fails(EBADF, dup2, 30, 10);
    open_ones("the second stays");
    fails(EBADF, dup2, fd, -1);
    fails(EBADF, dup2, fd, 1 << 30);
    fails(EBADF, dup, 30);
    fails(EBADF, dup3, -1, 5, 0);
    fails(EBADF, fcntl, 30, F_DUPFD, 0);
    fails(EINVAL, fcntl, fd, F_DUPFD, -1);
    fails(EINVAL, fcntl, fd, F_DUPFD, 1 << 30);
    for (int i = 5; i < 16; i++)
        dup2(fd, i);
    gives(0, close_range, 6, 8, 0);
    open_ones("a range closed");
    gives(0, close_range, 6, 8, 0);
    gives(0, close_range, 13, ~0u, CLOSE_RANGE_CLOEXEC);
    open_ones("marked");
    fails(EINVAL, close_range, 9, 8, 0);
    fails(EINVAL, close_range, 5, 8, 8);
    in_child("shares", shares);
    gives(0, close_range, 12, ~0u, 0);
    open_ones("to the end");
    gives(0, close, fd);
    fails(EBADF, close, fd);
    gives(fd, dup, 10);
    gives(3, lseek, 10, 0, SEEK_CUR);
}
