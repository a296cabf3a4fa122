/* mprotect: parts of mappings, and what files allow. */
#include "abi.h"

int main(void) {
    put("file", "text");
    char *at = pages(3);
    gives(0, mprotect, at + 4096, 4096, PROT_READ);
    at[0] = at[2 * 4096] = 1;
    int ends[2];
    pipe(ends);
    write(ends[1], "x", 1);
    fails(EFAULT, read, ends[0], at + 4096, 1);
    gives(0, mprotect, at + 4096, 4096, PROT_READ | PROT_WRITE);
    gives(1, read, ends[0], at + 4096, 1);
    gives(0, mprotect, at, 3 * 4096, PROT_NONE);
    fails(EFAULT, write, ends[1], at, 1);
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
    fails(EACCES, mprotect, shared, 4096, PROT_READ | PROT_WRITE);
    char *own = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open("file", O_RDONLY), 0);
    gives(0, mprotect, own, 4096, PROT_READ | PROT_WRITE);
    own[0] = 'T';
    fails(EINVAL, mprotect, at + 1, 4096, PROT_READ);
    munmap(at + 4096, 4096);
    fails(ENOMEM, mprotect, at, 3 * 4096, PROT_READ);
    gives(0, mprotect, at, 0, PROT_READ);
}
