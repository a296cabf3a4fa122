/* A shared mapping and write() see each other; a private one keeps what it has written. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    char bytes[8] = "";
    ftruncate(fd, 8192);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    gives(5, pwrite64, fd, "first", 5, 100);
    is("shared sees it", memcmp(shared + 100, "first", 5), 0);
    is("private sees it", memcmp(private + 100, "first", 5), 0);
    memcpy(shared + 4200, "second", 6);
    gives(6, pread64, fd, bytes, 6, 4200);
    is("read", memcmp(bytes, "second", 6), 0);
    private[100] = 'F';
    is("shared", shared[100], 'f');
    gives(1, pwrite64, fd, "x", 1, 101);
    is("its own page", private[101], 'i');
    is("the other page", private[4200], 's');
    gives(0, msync, shared, 8192, MS_SYNC);
    gives(0, munmap, shared, 8192);
    gives(1, pread64, fd, bytes, 1, 4200);
    close(fd);
    is("still there", private[4201], 'e');
}
