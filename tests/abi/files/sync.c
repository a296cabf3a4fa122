/* What sees to it that files are stored, and what tells how they will be used. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0644), ends[2], path = open("file", O_PATH);
    write(fd, "text", 4);
    pipe(ends);
    gives(0, fsync, fd);
    gives(0, fdatasync, fd);
    gives(0, sync);
    gives(0, syncfs, fd);
    gives(0, sync_file_range, fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    fails(EBADF, fsync, -1);
    fails(EBADF, fsync, path);
    fails(EINVAL, fsync, ends[0]);
    fails(EBADF, fdatasync, -1);
    fails(EINVAL, fdatasync, ends[0]);
    fails(EBADF, syncfs, -1);
    fails(EBADF, sync_file_range, -1, 0, 0, 0);
    fails(EINVAL, sync_file_range, fd, 0, 0, 64);
    fails(EINVAL, sync_file_range, fd, -1, 1, 0);
    fails(ESPIPE, sync_file_range, ends[0], 0, 0, 0);
    for (int advice = 0; advice < 6; advice++)
        gives(0, fadvise64, fd, 0, 0, advice);
    fails(EINVAL, fadvise64, fd, 0, 0, 6);
    fails(EINVAL, fadvise64, fd, 0, -1, 0);
    fails(EBADF, fadvise64, -1, 0, 0, 0);
    fails(ESPIPE, fadvise64, ends[0], 0, 0, 0);
    gives(0, readahead, fd, 0, 100);
    fails(EBADF, readahead, -1, 0, 100);
    fails(EINVAL, readahead, ends[0], 0, 100);
    int writes = open("file", O_WRONLY);
    fails(EBADF, readahead, writes, 0, 100);
}
