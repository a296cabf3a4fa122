/* madvise, msync, mincore, mlock and their like. */
#include "abi.h"

#define PAGE 4096

static void somebody(void) {
    struct rlimit none = {0, 0}, little = {PAGE, PAGE};
    char *at = pages(4);
    be(SOMEBODY);
    setrlimit(RLIMIT_MEMLOCK, &little);
    gives(0, mlock, at, PAGE);
    fails(ENOMEM, mlock, at, 2 * PAGE);
    fails(ENOMEM, mlock2, at, 4 * PAGE, 0);
    fails(ENOMEM, mlockall, MCL_CURRENT);
    gives(0, munlock, at, PAGE);
    setrlimit(RLIMIT_MEMLOCK, &none);
    fails(EPERM, mlock, at, PAGE);
    fails(EPERM, mlock2, at, PAGE, 0);
    fails(EPERM, mlockall, MCL_CURRENT);
}

/* Which pages of four are there. */
static void there(char *at) {
    unsigned char seen[4] = {0};
    gives(0, mincore, at, 4 * PAGE, seen);
    say("%d%d%d%d", seen[0] & 1, seen[1] & 1, seen[2] & 1, seen[3] & 1);
}

/* Locked pages are brought in, unless that is to wait for their use. */
static void locks(void) {
    char *at = pages(4), *own = pages(4);
    there(at);
    gives(0, mlock2, at, 4 * PAGE, MLOCK_ONFAULT);
    there(at);
    gives(0, mlock2, at, 2 * PAGE, 0);
    there(at);
    gives(0, mlock, at + 3 * PAGE, PAGE);
    there(at);
    gives(0, mlockall, MCL_CURRENT | MCL_ONFAULT);
    there(own);
    gives(0, mlockall, MCL_CURRENT);
    there(own);
    gives(0, munlockall);
}

int main(void) {
    char *at = pages(4), hole[4];
    at[0] = 1;
    at[PAGE] = 2;
    gives(0, madvise, at, PAGE, MADV_DONTNEED);
    is("thrown away", at[0], 0);
    is("kept", at[PAGE], 2);
    gives(0, madvise, at, 4 * PAGE, MADV_NORMAL);
    gives(0, madvise, at, 4 * PAGE, MADV_WILLNEED);
    gives(0, madvise, at, 4 * PAGE, MADV_SEQUENTIAL);
    gives(0, madvise, at, 4 * PAGE, MADV_RANDOM);
    gives(0, madvise, at, 4 * PAGE, MADV_HUGEPAGE);
    gives(0, madvise, at, 4 * PAGE, MADV_DONTFORK);
    gives(0, madvise, at, 4 * PAGE, MADV_DOFORK);
    gives(0, madvise, at, 4 * PAGE, MADV_FREE);
    gives(0, madvise, at, 0, MADV_NORMAL);
    fails(EINVAL, madvise, at + 1, PAGE, MADV_NORMAL);
    fails(EINVAL, madvise, at, PAGE, 9999);
    fails(EINVAL, madvise, at, PAGE, MADV_REMOVE);
    gives(0, msync, at, 4 * PAGE, MS_SYNC);
    gives(0, msync, at, 4 * PAGE, MS_ASYNC);
    fails(EINVAL, msync, at + 1, PAGE, MS_SYNC);
    fails(EINVAL, msync, at, PAGE, MS_SYNC | MS_ASYNC);
    fails(EINVAL, msync, at, PAGE, 64);
    at[0] = 1;
    gives(0, mincore, at, PAGE, hole);
    is("there", hole[0] & 1, 1);
    fails(EINVAL, mincore, at + 1, PAGE, hole);
    fails(EFAULT, mincore, at, PAGE, BAD);
    gives(0, mlock, at, 4 * PAGE);
    gives(0, mlock2, at, 4 * PAGE, MLOCK_ONFAULT);
    gives(0, munlock, at + 1, 4 * PAGE - 1);
    fails(EINVAL, mlock2, at, PAGE, 64);
    fails(EINVAL, mlock, at, -1ul - PAGE);
    fails(EINVAL, munlock, at, -1ul - PAGE);
    gives(0, mlockall, MCL_CURRENT | MCL_FUTURE);
    gives(0, munlockall);
    fails(EINVAL, mlockall, 0);
    fails(EINVAL, mlockall, 64);
    fails(EINVAL, mlockall, MCL_ONFAULT);
    munmap(at + PAGE, PAGE);
    fails(ENOMEM, madvise, at, 3 * PAGE, MADV_NORMAL);
    fails(ENOMEM, msync, at, 3 * PAGE, MS_SYNC);
    fails(ENOMEM, mincore, at, 3 * PAGE, hole);
    fails(ENOMEM, mlock, at, 3 * PAGE);
    fails(ENOMEM, munlock, at, 3 * PAGE);
    fails(ENOMEM, mlock2, at + PAGE, PAGE, 0);
    put("file", "x");
    char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("file", O_RDWR), 0);
    gives(0, madvise, mapped, PAGE, MADV_DONTNEED);
    in_child("locks", locks);
    in_child("somebody", somebody);
}
