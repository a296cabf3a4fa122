/* truncate and ftruncate: shorter, longer, and everything refused. */
#include "abi.h"

int main(void) {
    char data[16];
    put("file", "0123456789");
    gives(0, truncate, "file", 4);
    say("%s", get("file"));
    gives(0, truncate, "file", 6);
    int fd = open("file", O_RDWR), reads = open("file", O_RDONLY), ends[2];
    gives(6, read, fd, data, sizeof data);
    say("%.4s %d %d", data, data[4], data[5]);
    gives(0, ftruncate, fd, 2);
    gives(0, ftruncate, fd, 5000);
    struct stat seen;
    gives(0, fstat, fd, &seen);
    is("size", seen.st_size, 5000);
    fails(EINVAL, truncate, "file", -1);
    fails(EINVAL, ftruncate, fd, -1);
    fails(EINVAL, ftruncate, reads, 1);
    fails(EBADF, ftruncate, -1, 1);
    pipe(ends);
    fails(EINVAL, ftruncate, ends[1], 1);
    int path = open("file", O_PATH), folder = open(".", O_RDONLY);
    fails(EBADF, ftruncate, path, 1);
    fails(EINVAL, ftruncate, folder, 1);
    fails(EISDIR, truncate, ".", 1);
    mkfifo("fifo", 0644);
    fails(EINVAL, truncate, "fifo", 1);
    fails(EINVAL, truncate, "/dev/null", 1);
    chmod("file", 0444);
    with_rights_of(SOMEBODY);
    fails(EACCES, truncate, "file", 1);
}
