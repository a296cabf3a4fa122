/* truncate: what is cut off is zero when the file grows again. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600), reader = open("file", O_RDONLY);
    static char bytes[9000];
    memset(bytes, 'a', sizeof bytes);
    gives(9000, write, fd, bytes, 9000);
    gives(0, ftruncate, fd, 5);
    gives(5, pread64, reader, bytes, 9000, 0);
    gives(0, ftruncate, fd, 9000);
    gives(9000, pread64, reader, bytes, 9000, 0);
    int zeros = 0;
    for (int i = 5; i < 9000; i++)
        zeros += !bytes[i];
    is("zeros", zeros, 8995);
    is("kept", bytes[4], 'a');
    gives(9000, lseek, fd, 0, SEEK_CUR);
    gives(0, truncate, "file", 0);
    gives(0, pread64, reader, bytes, 10, 0);
    gives(1, write, fd, "x", 1);
    struct stat seen;
    stat("file", &seen);
    is("size", seen.st_size, 9001);
    fails(EINVAL, ftruncate, reader, 0);
    fails(EINVAL, ftruncate, fd, -1);
    fails(EINVAL, truncate, "file", -1);
}
