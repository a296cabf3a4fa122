/* RLIMIT_AS and RLIMIT_DATA: memory that there may not be. */
#include "abi.h"

#define MB (1l << 20)

static void space(void) {
    char *before = mmap(NULL, MB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rlimit limit = {64 * MB, 64 * MB};
    setrlimit(RLIMIT_AS, &limit);
    fails(ENOMEM, mmap, 0, 100 * MB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(ENOMEM, mmap, 0, 100 * MB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(ENOMEM, mremap, before, MB, 100 * MB, MREMAP_MAYMOVE);
    works(mmap, 0, MB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *end = sbrk(0);
    is("the break stays", abi_call(brk, end + 100 * MB) == (long)end, 1);
}

static void data(void) {
    struct rlimit limit = {32 * MB, 32 * MB};
    setrlimit(RLIMIT_DATA, &limit);
    char *end = sbrk(0);
    is("the break stays", abi_call(brk, end + 100 * MB) == (long)end, 1);
    fails(ENOMEM, mmap, 0, 100 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(mmap, 0, 100 * MB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(mmap, 0, 100 * MB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    works(mmap, 0, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
    in_child("space", space);
    in_child("data", data);
}
