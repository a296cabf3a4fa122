/* memfd_create: names and flags; a file without a place. */
#include "abi.h"

int main(void) {
    char name[300];
    memset(name, 'n', sizeof name);
    name[250] = 0;
    fails(EINVAL, memfd_create, name, 0);
    name[249] = 0;
    works(memfd_create, name, 0);
    fails(EFAULT, memfd_create, BAD, 0);
    fails(EINVAL, memfd_create, "x", 0x800);
    int fd = works(memfd_create, "x", MFD_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(5, write, fd, "12345", 5);
    gives(0, ftruncate, fd, 3);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[1] = 'X';
    char data[8] = "";
    gives(3, pread64, fd, data, sizeof data, 0);
    say("%s", data);
    struct stat seen;
    gives(0, fstat, fd, &seen);
    say("%o %d", seen.st_mode & S_IFMT, (int)seen.st_nlink);
}
