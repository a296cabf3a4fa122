/* memfd: seals that keep it from growing, shrinking, being written. */
#include "abi.h"

int main(void) {
    int fd = works(memfd_create, "name", MFD_ALLOW_SEALING);
    gives(0, ftruncate, fd, 4096);
    gives(0, fcntl, fd, F_GET_SEALS);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    fails(EPERM, ftruncate, fd, 8192);
    fails(EPERM, pwrite64, fd, "x", 1, 4096);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK);
    fails(EPERM, ftruncate, fd, 0);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fails(EBUSY, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    munmap(at, 4096);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    fails(EPERM, pwrite64, fd, "x", 1, 0);
    fails(EPERM, mmap, 0, 4096, PROT_WRITE, MAP_SHARED, fd, 0);
    works(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL);
    fails(EPERM, fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    gives(15, fcntl, fd, F_GET_SEALS);
    int open_one = works(memfd_create, "name", 0);
    fails(EPERM, fcntl, open_one, F_ADD_SEALS, F_SEAL_GROW);
    fails(EINVAL, fcntl, 0, F_GET_SEALS);
}
