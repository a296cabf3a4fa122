/* Transfers of nothing: what is looked at all the same. */
#include "abi.h"

int main(void) {
    put("file", "text");
    int fd = open("file", O_RDONLY), w = open("file", O_WRONLY), folder = open(".", O_RDONLY);
    gives(0, read, fd, NULL, 0);
    gives(0, write, w, NULL, 0);
    gives(0, pread64, fd, NULL, 0, 100);
    fails(EBADF, read, 99, NULL, 0);
    fails(EBADF, write, fd, NULL, 0);
    fails(EISDIR, read, folder, NULL, 0);
    gives(0, readv, fd, NULL, 0);
    gives(0, copy_file_range, fd, NULL, w, NULL, 0, 0);
    gives(4, lseek, fd, 0, SEEK_END);
    gives(0, read, fd, BAD, 1);
}
