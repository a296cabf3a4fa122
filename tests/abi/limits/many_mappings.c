/* Thousands of mappings, every second one taken away, and all others still what they were. */
#include "abi.h"

enum { COUNT = 4000 };

int main(void) {
    char *at =
        mmap(NULL, COUNT * 8192ul, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;
    for (int i = 0; i < COUNT; i++) {
        *(int *)(at + i * 8192l) = i;
        if (munmap(at + i * 8192l + 4096, 4096))
            give_up("munmap");
    }
    for (int i = 0; i < COUNT; i += 2)
        if (mprotect(at + i * 8192l, 4096, PROT_READ))
            give_up("mprotect");
    for (int i = 0; i < COUNT; i++)
        sum += *(int *)(at + i * 8192l);
    is("sum", sum, COUNT * (COUNT - 1l) / 2);
    gives(0, munmap, at, COUNT * 8192ul);
    fails(ENOMEM, msync, at, 4096, MS_ASYNC);
}
