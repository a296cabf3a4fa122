/* write and pwrite64: where it goes, and everything refused. */
#include "abi.h"

int main(void) {
    int fd = works(open, "file", O_RDWR | O_CREAT, 0644);
    gives(5, write, fd, "hello", 5);
    gives(0, write, fd, BAD, 0);
    gives(2, pwrite64, fd, "HE", 2, 0);
    gives(5, lseek, fd, 0, SEEK_CUR);
    gives(1, pwrite64, fd, "!", 1, 7);
    say("%s|%s", get("file"), get("file") + 6);
    fails(EFAULT, write, fd, BAD, 4);
    fails(EFAULT, pwrite64, fd, BAD, 4, 0);
    gives(4, write, fd, page_end() - 4, 8);
    fails(EINVAL, pwrite64, fd, "x", 1, -1);
    fails(EBADF, write, -1, "x", 1);
    fails(EBADF, pwrite64, -1, "x", 1, 0);
    int reads = works(open, "file", O_RDONLY);
    fails(EBADF, write, reads, "x", 1);
    fails(EBADF, pwrite64, reads, "x", 1, 0);
    int ends[2];
    works(pipe, ends);
    fails(ESPIPE, pwrite64, ends[1], "x", 1, 0);
    int appends = works(open, "file", O_WRONLY | O_APPEND);
    works(write, appends, "end", 3);
    /* Appends too, whatever the place. */
    works(pwrite64, appends, "END", 3, 0);
    struct stat seen;
    gives(0, fstat, fd, &seen);
    is("size", seen.st_size, 15);
    int full = works(open, "/dev/full", O_WRONLY);
    fails(ENOSPC, write, full, "x", 1);
}
