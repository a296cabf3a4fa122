/* mprotect: what may become what. */
#include "abi.h"

#define PAGE 4096

int main(void) {
    char *at = pages(3);
    gives(0, mprotect, at, PAGE, PROT_READ);
    fails(EFAULT, read, open("/dev/zero", O_RDONLY), at, 1);
    gives(0, mprotect, at, 3 * PAGE, PROT_READ | PROT_WRITE);
    at[0] = 1;
    gives(0, mprotect, at, 0, PROT_READ);
    at[0] = 2;
    gives(0, mprotect, at, PAGE, PROT_NONE);
    fails(EINVAL, mprotect, at + 1, PAGE, PROT_READ);
    fails(EINVAL, mprotect, at, PAGE, 0x1000000 | PROT_GROWSDOWN | PROT_GROWSUP);
    munmap(at + PAGE, PAGE);
    fails(ENOMEM, mprotect, at, 3 * PAGE, PROT_READ);
    fails(ENOMEM, mprotect, at + PAGE, PAGE, PROT_READ);
    is("the first part was changed", *(volatile char *)at, 2);
    put("file", "x");
    int fd = open("file", O_RDONLY);
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    fails(EACCES, mprotect, shared, PAGE, PROT_READ | PROT_WRITE);
    char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    gives(0, mprotect, private, PAGE, PROT_READ | PROT_WRITE);
    private[0] = 'y';
    say("%s", get("file"));
}
