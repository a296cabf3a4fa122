/* memfd_create and seals. */
#include "abi.h"

int main(void) {
    int fd = works(memfd_create, "x", MFD_CLOEXEC);
    gives(F_SEAL_SEAL, fcntl, fd, F_GET_SEALS);
    fails(EPERM, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    fd = works(memfd_create, "x", MFD_ALLOW_SEALING);
    gives(0, fcntl, fd, F_GET_SEALS);
    gives(5, write, fd, "12345", 5);
    fails(EINVAL, fcntl, fd, F_ADD_SEALS, 0x800);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK);
    fails(EPERM, ftruncate, fd, 4);
    gives(0, ftruncate, fd, 6);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    fails(EPERM, ftruncate, fd, 7);
    fails(EPERM, write, fd, "123456789", 9);
    fails(EPERM, fallocate, fd, 0, 0, 100);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fails(EBUSY, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    munmap(at, 4096);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    fails(EPERM, pwrite64, fd, "x", 1, 0);
    fails(EPERM, mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    works(mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 0);
    works(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    gives(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, fcntl, fd, F_GET_SEALS);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL);
    fails(EPERM, fcntl, fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    int file = open("file", O_RDWR | O_CREAT, 0644), ends[2];
    pipe(ends);
    fails(EINVAL, fcntl, ends[0], F_GET_SEALS);
}
