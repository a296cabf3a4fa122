/* munmap and mmap at fixed places: parts, several mappings at once, holes, what is refused. */
#include "abi.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { PAGE = 4096 };

/* Which of eight pages there are, by mincore(). */
static void map(const char *what, char *at) {
    char shown[9] = "........";
    unsigned char in;
    for (int i = 0; i < 8; i++)
        if (!mincore(at + i * PAGE, PAGE, &in))
            shown[i] = '#';
    say("%s: %s", what, shown);
}

int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS, both = PROT_READ | PROT_WRITE;
    char *at = pages(8);
    memset(at, 'x', 8 * PAGE);
    gives(0, munmap, at + 2 * PAGE, PAGE);
    map("a hole", at);
    gives(0, munmap, at + PAGE, 3 * PAGE);
    map("around it", at);
    gives(0, munmap, at + PAGE, 3 * PAGE);
    map("nothing", at);
    gives(0, munmap, at + 7 * PAGE, 1);
    map("less than a page", at);
    is("kept", at[0] == 'x' && at[4 * PAGE] == 'x', 1);
    is("between", mmap(at + 2 * PAGE, PAGE, both, flags, -1, 0) == at + 2 * PAGE, 1);
    map("as a hint", at);
    is("over", mmap(at + 2 * PAGE, 3 * PAGE, both, flags | MAP_FIXED, -1, 0) == at + 2 * PAGE, 1);
    map("fixed", at);
    is("new pages are empty", at[4 * PAGE], 0);
    fails(EEXIST, mmap, at + 2 * PAGE, PAGE, both, flags | MAP_FIXED_NOREPLACE, -1, 0);
    fails(EEXIST, mmap, at + PAGE, 3 * PAGE, both, flags | MAP_FIXED_NOREPLACE, -1, 0);
    works(mmap, at + PAGE, PAGE, both, flags | MAP_FIXED_NOREPLACE, -1, 0);
    map("into the hole", at);
    char *elsewhere = mmap(at, PAGE, both, flags, -1, 0);
    is("a hint that is taken", elsewhere != at && elsewhere != MAP_FAILED, 1);
    elsewhere = mmap(at + 123, PAGE, both, flags, -1, 0);
    is("a crooked hint", (long)elsewhere % PAGE, 0);
    fails(EINVAL, mmap, at + 123, PAGE, both, flags | MAP_FIXED, -1, 0);
    fails(EINVAL, mmap, 0, 0, both, flags, -1, 0);
    fails(EINVAL, mmap, 0, PAGE, both, MAP_ANONYMOUS, -1, 0);
    fails(EINVAL, mmap, 0, PAGE, both, MAP_PRIVATE, 0, 123);
    fails(ENOMEM, mmap, 0, 1l << 47, both, flags, -1, 0);
    fails(ENOMEM, mmap, 0, -1l, both, flags, -1, 0);
    fails(ENOMEM, mmap, 0x7ffffffff000, PAGE, both, flags | MAP_FIXED, -1, 0);
    fails(ENOMEM, mmap, 0x800000000000, PAGE, both, flags | MAP_FIXED, -1, 0);
    fails(EBADF, mmap, 0, PAGE, both, MAP_PRIVATE, -1, 0);
    fails(EINVAL, munmap, at + 1, PAGE);
    fails(EINVAL, munmap, at, 0);
    fails(EINVAL, munmap, at, -1l);
    fails(EINVAL, munmap, 0x7ffffffff000, 2 * PAGE);
    gives(0, munmap, (long)at & ~0xfffffffl, PAGE);
    gives(0, munmap, at, 8 * PAGE);
    map("all", at);
    /* One call over mappings of different kinds. */
    put("file", "file");
    int fd = open("file", O_RDWR);
    at = pages(8);
    mmap(at + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
    mmap(at + 3 * PAGE, PAGE, both, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mprotect(at + 5 * PAGE, PAGE, PROT_NONE);
    map("mixed", at);
    gives(0, munmap, at, 7 * PAGE);
    map("but the last", at);
}
