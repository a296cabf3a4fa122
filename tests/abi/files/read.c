/* read and pread64: data, ends of files, and everything refused. */
#include "abi.h"

int main(void) {
    char buffer[16] = "";
    put("file", "0123456789");
    int fd = works(open, "file", O_RDONLY);
    gives(4, read, fd, buffer, 4);
    say("%.4s", buffer);
    gives(0, read, fd, buffer, 0);
    gives(6, read, fd, buffer, sizeof buffer);
    gives(0, read, fd, buffer, sizeof buffer);
    gives(3, pread64, fd, buffer, 3, 5);
    say("%.3s", buffer);
    gives(0, pread64, fd, buffer, 3, 100);
    gives(10, lseek, fd, 0, SEEK_CUR);
    fails(EINVAL, pread64, fd, buffer, 3, -1);
    lseek(fd, 0, SEEK_SET);
    fails(EFAULT, read, fd, BAD, 4);
    fails(EFAULT, pread64, fd, BAD, 4, 0);
    fails(EFAULT, read, fd, read_only(), 4);
    /* What fits is read. */
    gives(4, read, fd, page_end() - 4, 8);
    gives(4, lseek, fd, 0, SEEK_CUR);
    fails(EBADF, read, -1, buffer, 1);
    fails(EBADF, read, 1000, buffer, 1);
    fails(EBADF, pread64, -1, buffer, 1, 0);
    int writes = works(open, "file", O_WRONLY);
    fails(EBADF, read, writes, buffer, 1);
    fails(EBADF, pread64, writes, buffer, 1, 0);
    int folder = works(open, ".", O_RDONLY);
    fails(EISDIR, read, folder, buffer, 1);
    fails(EISDIR, pread64, folder, buffer, 1, 0);
    int path = works(open, "file", O_PATH);
    fails(EBADF, read, path, buffer, 1);
    int ends[2];
    works(pipe, ends);
    fails(ESPIPE, pread64, ends[0], buffer, 1, 0);
    /* The length is cut to what Linux takes at most, not refused; as a signed number it is. */
    gives(6, read, fd, buffer, 6);
    fails(EFAULT, read, fd, buffer, -1L);
}
