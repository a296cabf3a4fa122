/* pkey_alloc, pkey_free, pkey_mprotect where the processor has no keys. */
#include "abi.h"

#define PAGE 4096

int main(void) {
    char *at = pages(3);
    syscall(SYS_pkey_alloc, 0, 0); /* Linux, too, comes to the same answer from the second on */
    fails(ENOSPC, pkey_alloc, 0, 0);
    fails(ENOSPC, pkey_alloc, 0, 3);
    fails(EINVAL, pkey_alloc, 1, 0);
    fails(EINVAL, pkey_alloc, 0, 4);
    fails(EINVAL, pkey_free, 0);
    fails(EINVAL, pkey_free, 1);
    fails(EINVAL, pkey_free, -1);
    at[0] = 1;
    gives(0, pkey_mprotect, at, PAGE, PROT_READ, -1);
    fails(EFAULT, read, open("/dev/zero", O_RDONLY), at, 1);
    gives(0, pkey_mprotect, at, 3 * PAGE, PROT_READ | PROT_WRITE, -1);
    at[0] = 2;
    gives(0, pkey_mprotect, at, 0, PROT_READ, 5);
    fails(EINVAL, pkey_mprotect, at, PAGE, PROT_READ, 5);
    fails(EINVAL, pkey_mprotect, at, PAGE, PROT_READ, -2);
    fails(EINVAL, pkey_mprotect, at + 1, PAGE, PROT_READ, -1);
    munmap(at + PAGE, PAGE);
    fails(ENOMEM, pkey_mprotect, at + PAGE, PAGE, PROT_READ, -1);
    put("file", "x");
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
    fails(EACCES, pkey_mprotect, shared, PAGE, PROT_READ | PROT_WRITE, -1);
}
