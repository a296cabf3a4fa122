/* Reading what is open for writing, and the other way, by every call. */
#include "abi.h"

int main(void) {
    put("file", "text");
    int r = open("file", O_RDONLY), w = open("file", O_WRONLY), p = open("file", O_PATH);
    char bytes[4];
    struct iovec one = {bytes, 4};
    fails(EBADF, read, w, bytes, 4);
    fails(EBADF, readv, w, &one, 1);
    fails(EBADF, pread64, w, bytes, 4, 0);
    fails(EBADF, preadv, w, &one, 1, 0);
    fails(EBADF, write, r, bytes, 4);
    fails(EBADF, writev, r, &one, 1);
    fails(EBADF, pwrite64, r, bytes, 4, 0);
    fails(EBADF, pwritev, r, &one, 1, 0);
    fails(EINVAL, ftruncate, r, 0);
    fails(EBADF, fallocate, r, 0, 0, 10);
    fails(EBADF, read, p, bytes, 4);
    fails(EBADF, write, p, bytes, 4);
    fails(EBADF, lseek, p, 0, SEEK_SET);
    fails(EBADF, fsync, p);
    fails(EBADF, sendfile, r, w, NULL, 4);
    fails(EBADF, copy_file_range, w, NULL, w, NULL, 4, 0);
    fails(EACCES, mmap, 0, 4096, PROT_READ, MAP_SHARED, w, 0);
    fails(EACCES, mmap, 0, 4096, PROT_WRITE, MAP_SHARED, r, 0);
    fails(EBADF, mmap, 0, 4096, PROT_READ, MAP_SHARED, p, 0);
}
