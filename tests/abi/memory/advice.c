/* madvise and mincore: what each advice does to private, shared and file memory, refused. */
#include "abi.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = 4096 };

static void advise(const char *what, char *at, int pages, int advice) {
    long result = abi_call(madvise, at, pages * PAGE, advice);
    say("%s: %s, %d %d", what, result ? strerrorname_np(errno) : "done", at[0], at[PAGE]);
}

int main(void) {
    unsigned char in[4];
    int both = PROT_READ | PROT_WRITE;
    char *own = pages(2);
    char *shared = mmap(NULL, 2 * PAGE, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 2 * PAGE);
    pwrite(fd, "f", 1, 0);
    pwrite(fd, "g", 1, PAGE);
    char *copied = mmap(NULL, 2 * PAGE, both, MAP_PRIVATE, fd, 0);
    char *mapped = mmap(NULL, 2 * PAGE, both, MAP_SHARED, fd, 0);
    const int harmless[] = {MADV_NORMAL,   MADV_RANDOM,  MADV_SEQUENTIAL,    MADV_WILLNEED,
                            MADV_COLD,     MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
                            MADV_DONTDUMP, MADV_DODUMP};
    own[0] = own[PAGE] = shared[0] = shared[PAGE] = 'x';
    copied[0] = 'c';
    mapped[PAGE] = 'm';
    for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        say("advice %d", harmless[i]);
        advise("own", own, 2, harmless[i]);
        advise("shared", shared, 2, harmless[i]);
        advise("copied", copied, 2, harmless[i]);
        advise("mapped", mapped, 2, harmless[i]);
    }
    advise("own, forgotten", own, 1, MADV_DONTNEED);
    advise("shared, not", shared, 2, MADV_DONTNEED);
    advise("copied, the file's again", copied, 2, MADV_DONTNEED);
    advise("mapped, not", mapped, 2, MADV_DONTNEED);
    advise("shared, a hole", shared, 1, MADV_REMOVE);
    advise("mapped, a hole", mapped, 1, MADV_REMOVE);
    char byte = 1;
    gives(1, pread64, fd, &byte, 1, 0);
    is("in the file, too", byte, 0);
    fails(EINVAL, madvise, own, PAGE, MADV_REMOVE);
    fails(EINVAL, madvise, shared, PAGE, MADV_FREE);
    fails(EINVAL, madvise, mapped, PAGE, MADV_FREE);
    gives(0, madvise, own, 2 * PAGE, MADV_FREE);
    own[0] = 'y';
    is("written again", own[0], 'y');
    fails(EINVAL, madvise, own + 1, PAGE, MADV_NORMAL);
    fails(EINVAL, madvise, own, PAGE, 9999);
    fails(EINVAL, madvise, own, -PAGE, MADV_NORMAL);
    gives(0, madvise, own, 0, MADV_DONTNEED);
    gives(0, madvise, own, 1, MADV_DONTNEED);
    is("a byte is a page", own[0], 0);
    char *gap = pages(3);
    munmap(gap + PAGE, PAGE);
    gap[0] = gap[2 * PAGE] = 'z';
    fails(ENOMEM, madvise, gap, 3 * PAGE, MADV_DONTNEED);
    fails(ENOMEM, mincore, gap, 3 * PAGE, in);
    is("all but the gap", gap[0] + gap[2 * PAGE], 0);
    char *constant = read_only();
    fails(EINVAL, madvise, constant, PAGE, MADV_POPULATE_WRITE);
    gives(0, madvise, constant, PAGE, MADV_POPULATE_READ);
    gives(0, mincore, constant, PAGE, in);
    char *fresh = pages(4);
    fresh[PAGE] = 1;
    gives(0, mincore, fresh, 4 * PAGE, in);
    say("%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    fails(EINVAL, mincore, fresh + 1, PAGE, in);
    fails(EFAULT, mincore, fresh, PAGE, BAD);
    gives(0, mincore, fresh, 0, in);
    gives(0, mlock, fresh, 2 * PAGE);
    gives(0, munlock, fresh, 2 * PAGE);
    gives(0, madvise, fresh, PAGE, MADV_DONTNEED);
}
