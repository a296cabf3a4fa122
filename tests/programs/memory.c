/*
 * Memory: mmap and its like, brk, what fork makes of it.
 */
#include "say.h"

#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096ul

static char *map(size_t size, int protection, int flags) {
    return mmap(NULL, size, protection, flags, -1, 0);
}

static void say_map(const char *what, void *address) {
    say("%s: %s", what, address == MAP_FAILED ? strerrorname_np(errno) : "ok");
}

static void refusals(void) {
    say_map("no length", map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
    say_map("neither shared nor private", map(PAGE, PROT_READ, MAP_ANONYMOUS));
    say_map("no file", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    say_map("too large", map(1ul << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
    say_map("odd offset", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 0, 100));
    say_map("odd address",
            mmap((void *)0x10001, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    tell("unmap odd", munmap((void *)100, PAGE));
    tell("unmap nothing", munmap((void *)0x10000000, 0));
    tell("unmap a hole", munmap((void *)0x10000000, PAGE));
    tell("protect a hole", mprotect((void *)0x10000000, PAGE, PROT_READ));
    tell("madvise a hole", madvise((void *)0x10000000, PAGE, MADV_DONTNEED));
    tell("msync a hole", msync((void *)0x10000000, PAGE, MS_SYNC));
}

static void parts(void) {
    char *area = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    memset(area, 7, 8 * PAGE);
    tell("unmap the middle", munmap(area + 2 * PAGE, 2 * PAGE));
    unsigned char present[8];
    tell("mincore over the hole", mincore(area, 8 * PAGE, present));
    tell("mincore before it", mincore(area, 2 * PAGE, present));
    say("present %d %d", present[0] & 1, present[1] & 1);
    say("kept %d %d", area[0], area[7 * PAGE]);
    char *again =
        mmap(area + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    say("in the hole: %d, zero %d", again == area + 2 * PAGE, again[0]);
    say_map("not over it",
            mmap(area, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    tell("DONTNEED", madvise(area, PAGE, MADV_DONTNEED));
    say("zero again: %d", area[0]);
    munmap(area, 8 * PAGE);
}

static void moving(void) {
    char *area = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    area[0] = 1;
    area[PAGE] = 2;
    char *wall =
        mmap(area + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    say_map("grow in place", mremap(area, 2 * PAGE, 4 * PAGE, 0));
    char *moved = mremap(area, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    say("moved: %d, kept %d %d %d", moved != area, moved[0], moved[PAGE], moved[3 * PAGE]);
    say("shrunk: %d", mremap(moved, 4 * PAGE, PAGE, 0) == moved);
    munmap(moved, PAGE);
    munmap(wall, PAGE);
}

static void forking(void) {
    char *own = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    char *common = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    int status;
    own[0] = common[0] = 1;
    if (fork() == 0) {
        own[0] = common[0] = 2;
        _exit(own[0] + common[0]);
    }
    wait(&status);
    say_status("child", status);
    say("own %d common %d", own[0], common[0]);
}

static void breaking(void) {
    char *start = sbrk(0);
    say("grown: %d", sbrk(3 * PAGE) == start);
    start[3 * PAGE - 1] = 4;
    say("shrunk: %d", brk(start + PAGE) == 0 && sbrk(0) == start + PAGE);
    say("below the beginning: %d", brk((void *)4096) != 0);
    brk(start);
}

static void of_files(void) {
    char name[] = "/tmp/memory-XXXXXX";
    int file = mkstemp(name);
    if (file < 0 || write(file, "abcdef", 6) != 6)
        say("no file");
    char *private_ = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    private_[0] = 'P';
    shared[1] = 'S';
    char bytes[7] = "";
    pread(file, bytes, 6, 0);
    say("file %s private %.6s behind its end %d", bytes, private_, shared[6]);
    tell("msync", msync(shared, PAGE, MS_SYNC));
    int read_only = open(name, O_RDONLY);
    say_map("shared and writable of one for reading",
            mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0));
    char *look = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
    tell("mprotect for writing", mprotect(look, PAGE, PROT_READ | PROT_WRITE));
    int write_only = open(name, O_WRONLY);
    say_map("of one for writing", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, write_only, 0));
    unlink(name);
    close(file);
    say("after unlink %.6s", private_);
}

static char *beyond;
static void touch_beyond(void) {
    beyond[2 * PAGE] = 1;
}

static void past_the_end(void) {
    char name[] = "/tmp/memory-XXXXXX";
    int file = mkstemp(name);
    ftruncate(file, 10);
    beyond = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    in_child("past the end of a file", touch_beyond);
    unlink(name);
}

static int depth(int n) {
    volatile char frame[4000];
    frame[0] = (char)n;
    return n ? depth(n - 1) + frame[0] * 0 : 0;
}
static void deep(void) {
    say("deep: %d", depth(1000));
}
static void too_deep(void) {
    depth(100000);
}

int main(void) {
    refusals();
    parts();
    moving();
    forking();
    breaking();
    of_files();
    past_the_end();
    deep();
    in_child("too deep", too_deep);
    return 0;
}
