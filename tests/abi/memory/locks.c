/* mlock and its like: what is counted as locked, over everything that changes mappings. */
#include "abi.h"

enum { PAGE = 4096, BOTH = PROT_READ | PROT_WRITE, OWN = MAP_PRIVATE | MAP_ANONYMOUS };

/* Pages. */
static int locked(void) {
    const char *line = strstr(get("/proc/self/status"), "VmLck:");
    return line ? atoi(line + 6) / 4 : -1;
}

static void locked_is(const char *what, int wanted) {
    is(what, locked(), wanted);
}

static void limit(long pages) {
    struct rlimit most = {pages * PAGE, pages * PAGE};
    setrlimit(RLIMIT_MEMLOCK, &most);
}

static int there(char *at, int count) {
    unsigned char seen[64];
    int found = 0;
    mincore(at, count * PAGE, seen);
    for (int i = 0; i < count; i++)
        found += seen[i] & 1;
    return found;
}

static void ranges(void) {
    char *at = pages(8);
    gives(0, mlock, at + 1, PAGE);
    locked_is("parts of two pages", 2);
    gives(0, mlock, at, 4 * PAGE);
    locked_is("twice counts once", 4);
    gives(0, munlock, at + PAGE, PAGE);
    locked_is("a hole", 3);
    gives(0, munlock, at + PAGE, PAGE);
    locked_is("not locked", 3);
    gives(0, mlock2, at + 4 * PAGE, 2 * PAGE, MLOCK_ONFAULT);
    locked_is("on fault", 5);
    is("not brought in", there(at + 4 * PAGE, 2), 0);
    gives(0, mlock, at, 0);
    gives(0, munlock, at, 0);
    gives(0, munmap, at + 3 * PAGE, 2 * PAGE);
    locked_is("unmapped", 3);
    fails(ENOMEM, mlock, at, 8 * PAGE);
    locked_is("up to the gap", 4);
    fails(ENOMEM, munlock, at + 2 * PAGE, 2 * PAGE);
    locked_is("less up to the gap", 3);
    gives(0, munlockall);
    locked_is("all unlocked", 0);
    char *none = mmap(NULL, 2 * PAGE, PROT_NONE, OWN, -1, 0);
    fails(ENOMEM, mlock, none, 2 * PAGE);
    locked_is("locked all the same", 2);
    gives(0, mprotect, none, 2 * PAGE, BOTH);
    none[0] = 1;
    gives(0, munlock, none, 2 * PAGE);
    put("file", "x");
    char *mapped = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, open("file", O_RDWR), 0);
    fails(ENOMEM, mlock, mapped, 2 * PAGE);
    locked_is("beyond the end of a file", 2);
    gives(0, munmap, mapped, 2 * PAGE);
    locked_is("gone", 0);
}

static void moves(void) {
    char *at = pages(4), *to;
    gives(0, mlock, at, 4 * PAGE);
    gives(0, munmap, at + 2 * PAGE, PAGE);
    locked_is("before", 3);
    to = (char *)works(mremap, at, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, 0);
    locked_is("grown", 7);
    is("brought in", there(to, 6), 6);
    to = (char *)works(mremap, to, 6 * PAGE, PAGE, MREMAP_MAYMOVE, 0);
    locked_is("shrunk", 2);
    char *place = pages(1);
    is("moved to",
       works(mremap, to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == (long)place, 1);
    locked_is("moved", 2);
    mmap(place, PAGE, BOTH, OWN | MAP_FIXED, -1, 0);
    locked_is("replaced", 1);
    gives(0, mprotect, at + 3 * PAGE, PAGE, PROT_READ);
    locked_is("protected", 1);
    gives(0, munmap, at + 3 * PAGE, PAGE);
    locked_is("none", 0);
}

static void child(void) {
    is("in a child", locked(), 0);
    pages(1);
    is("nor later", locked(), 0);
}

static void advised(void) {
    char *at = pages(2);
    char *shared = mmap(NULL, PAGE, BOTH, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    at[0] = 1;
    gives(0, mlock, at, PAGE);
    gives(0, mlock, shared, PAGE);
    fails(EINVAL, madvise, at, 2 * PAGE, MADV_DONTNEED);
    fails(EINVAL, madvise, at, PAGE, MADV_FREE);
    fails(EINVAL, madvise, at, PAGE, MADV_COLD);
    fails(EINVAL, madvise, at, PAGE, MADV_PAGEOUT);
    fails(EINVAL, madvise, shared, PAGE, MADV_REMOVE);
    is("still there", at[0], 1);
    gives(0, madvise, at, PAGE, 24); /* MADV_DONTNEED_LOCKED */
    is("gone", at[0], 0);
    fails(EBUSY, msync, at, PAGE, MS_INVALIDATE | MS_SYNC);
    gives(0, msync, at, PAGE, MS_SYNC);
    in_child("child", child);
    gives(0, munlockall);
}

static void future(void) {
    gives(0, mlockall, MCL_FUTURE);
    int before = locked();
    char *at = pages(4);
    is("what comes is locked", locked() - before, 4);
    is("and there", there(at, 4), 4);
    gives(0, mlockall, MCL_FUTURE | MCL_ONFAULT);
    at = pages(4);
    is("on fault", locked() - before, 8);
    is("not there", there(at, 4), 0);
    long end = syscall(SYS_brk, 0);
    before = locked();
    is("the break", syscall(SYS_brk, end + 3 * PAGE) - end, 3 * PAGE);
    is("too", locked() - before, 3);
    in_child("child", child);
    gives(0, munlockall);
    pages(1);
    locked_is("no more", 0);
    gives(0, mlockall, MCL_CURRENT | MCL_ONFAULT);
    is("everything", locked() > 10, 1);
    before = locked();
    pages(1);
    is("but nothing new", locked() - before, 0);
    gives(0, munlockall);
    at = mmap(NULL, 2 * PAGE, BOTH, OWN | MAP_LOCKED, -1, 0);
    locked_is("mapped so", 2);
    is("there", there(at, 2), 2);
}

static void limits(void) {
    char *at = pages(8);
    be(SOMEBODY);
    limit(4);
    gives(0, mlock, at, 3 * PAGE);
    fails(ENOMEM, mlock, at + 4 * PAGE, 2 * PAGE);
    gives(0, mlock, at + PAGE, 3 * PAGE);
    locked_is("as much as may be", 4);
    fails(EAGAIN, mmap, 0, PAGE, BOTH, OWN | MAP_LOCKED, -1, 0);
    gives(0, munmap, at, PAGE);
    works(mmap, 0, PAGE, BOTH, OWN | MAP_LOCKED, -1, 0);
    fails(EAGAIN, mremap, at + PAGE, 3 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    fails(ENOMEM, mlockall, MCL_CURRENT);
    gives(0, mlockall, MCL_FUTURE);
    fails(EAGAIN, mmap, 0, PAGE, BOTH, OWN, -1, 0);
    long end = syscall(SYS_brk, 0);
    is("the break stays", syscall(SYS_brk, end + PAGE) - end, 0);
    gives(0, munlock, at + PAGE, 3 * PAGE);
    works(mmap, 0, PAGE, BOTH, OWN, -1, 0);
    limit(0);
    fails(EPERM, mlock, at + PAGE, PAGE);
    fails(EPERM, mlock2, at + PAGE, PAGE, 0);
    fails(EPERM, mlockall, MCL_CURRENT);
    fails(EPERM, mmap, 0, PAGE, BOTH, OWN | MAP_LOCKED, -1, 0);
    fails(EAGAIN, mmap, 0, PAGE, BOTH, OWN, -1, 0);
    gives(0, munlock, at + PAGE, PAGE);
    gives(0, munlockall);
    works(mmap, 0, PAGE, BOTH, OWN, -1, 0);
}

int main(void) {
    in_child("ranges", ranges);
    in_child("moves", moves);
    in_child("advised", advised);
    in_child("future", future);
    in_child("limits", limits);
    fails(EINVAL, mlock2, 0, 0, 2);
    fails(EINVAL, mlockall, 0);
    fails(EINVAL, mlockall, MCL_ONFAULT);
    gives(0, mlock, BAD, -PAGE);
}
