/* mremap: shrinks, grows where it is, moves, over others, parts, shared ones twice, refused. */
#include "abi.h"

enum { PAGE = 4096 };

static char *filled(int count) {
    char *at = pages(count);
    for (int i = 0; i < count; i++)
        at[i * PAGE] = (char)('a' + i);
    return at;
}

static void show(const char *what, char *at, int count) {
    char line[20] = "";
    unsigned char in;
    for (int i = 0; i < count; i++)
        line[i] = mincore(at + i * PAGE, PAGE, &in) ? '.' : at[i * PAGE] ? at[i * PAGE] : '0';
    say("%s: %s", what, line);
}

int main(void) {
    char *at = filled(8), *moved, *place = pages(16);
    is("shrinks", mremap(at, 8 * PAGE, 6 * PAGE, 0) == at, 1);
    show("six left", at, 8);
    is("grows again", mremap(at, 6 * PAGE, 8 * PAGE, 0) == at, 1);
    show("new ones empty", at, 8);
    munmap(at + 6 * PAGE, 2 * PAGE);
    mmap(at + 6 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fails(ENOMEM, mremap, at, 6 * PAGE, 7 * PAGE, 0);
    moved = mremap(at, 6 * PAGE, 7 * PAGE, MREMAP_MAYMOVE);
    is("moved", moved != at && moved != MAP_FAILED, 1);
    show("there", moved, 7);
    show("here", at, 6);
    is("to a place",
       mremap(moved, 7 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 2 * PAGE) ==
           place + 2 * PAGE,
       1);
    place[0] = 'P';
    show("over others", place, 8);
    is("a part",
       mremap(place + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 6 * PAGE) ==
           place + 6 * PAGE,
       1);
    show("a part", place, 8);
    fails(EINVAL, mremap, place, PAGE, PAGE, MREMAP_FIXED, place + 6 * PAGE);
    fails(EINVAL, mremap, place, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + PAGE);
    fails(EINVAL, mremap, place + 1, PAGE, PAGE, MREMAP_MAYMOVE);
    fails(EINVAL, mremap, place, PAGE, 0, MREMAP_MAYMOVE);
    fails(EINVAL, mremap, place, 0, PAGE, MREMAP_MAYMOVE);
    fails(EINVAL, mremap, place, PAGE, PAGE, 64);
    fails(EINVAL, mremap, place, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 6 * PAGE + 1);
    fails(EFAULT, mremap, BAD - (long)BAD % PAGE, PAGE, PAGE, MREMAP_MAYMOVE);
    fails(EFAULT, mremap, place + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    fails(EFAULT, mremap, place + 2 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    /* A shared one is there twice if its old length is none. */
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[0] = 's';
    char *again = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);
    is("twice", again[0], 's');
    again[PAGE] = 't';
    is("the same", shared[PAGE], 't');
    /* Of a file: what is behind its end is not there by growing. */
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 4 * PAGE);
    pwrite(fd, "f", 1, 3 * PAGE);
    char *file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
    file = mremap(file, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    is("more of it", file[PAGE], 'f');
    /* Rights and advice go along. */
    char *constant = filled(2);
    mprotect(constant, 2 * PAGE, PROT_READ);
    constant = mremap(constant, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    fails(EFAULT, read, open("/dev/zero", O_RDONLY), constant + 3 * PAGE, 1);
    mprotect(constant, 4 * PAGE, PROT_READ | PROT_WRITE);
    is("one mapping", mremap(constant, 4 * PAGE, PAGE, 0) == constant, 1);
}
