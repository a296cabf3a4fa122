/*
 * paging_locks MIB FILE: locks memory of its own, memory that it gets later, and pages of a file,
 * goes round through so many MiB more and through all of the file, and says how many of the locked
 * pages were there all the time; then it lets them go, does the same, and says whether some went.
 * To be run with a limit that is smaller, for itself and for the file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096ul
#define PAGES  64u
#define ROUNDS 3

static volatile char *rest;
static size_t rest_bytes;
static int file;

static char *memory(size_t bytes) {
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        exit(2);
    return at;
}

static unsigned there(char *at) {
    unsigned char seen[PAGES];
    unsigned count = 0;
    if (mincore(at, PAGES * PAGE, seen))
        exit(3);
    for (unsigned n = 0; n < PAGES; n++)
        count += seen[n] & 1;
    return count;
}

/* The fewest that were there after a round. */
static void press(char *const *areas, unsigned count, unsigned *fewest) {
    char byte[PAGE];
    for (unsigned n = 0; n < count; n++)
        fewest[n] = PAGES;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t at = 0; at < rest_bytes; at += PAGE)
            rest[at] = (char)(at / PAGE + round);
        for (off_t at = 0; pread(file, byte, PAGE, at) > 0; at += PAGE)
            ;
        for (unsigned n = 0; n < count; n++) {
            unsigned now = there(areas[n]);
            fewest[n] = now < fewest[n] ? now : fewest[n];
        }
    }
}

static void fill(char *at) {
    for (unsigned n = 0; n < PAGES; n++)
        at[n * PAGE] = (char)n;
}

static int changed(const char *at) {
    for (unsigned n = 0; n < PAGES; n++)
        if (at[n * PAGE] != (char)n)
            return 1;
    return 0;
}

int main(int count, char **arguments) {
    unsigned fewest[4];
    if (count != 3 || (file = open(arguments[2], O_RDONLY)) < 0)
        return 1;
    rest_bytes = (size_t)atoi(arguments[1]) << 20;
    rest = memory(rest_bytes);
    char *own = memory(PAGES * PAGE), *later = memory(PAGES * PAGE), *moved = memory(PAGES * PAGE);
    char *mapped = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, file, 0);
    fill(own);
    fill(moved);
    moved[0] = 0;
    if (mlock(own, PAGES * PAGE) || mlock2(later, PAGES * PAGE, MLOCK_ONFAULT) ||
        mlock(moved, PAGES * PAGE / 2) || mlock(mapped, PAGES * PAGE))
        return 4;
    fill(later);
    moved = mremap(moved, PAGES * PAGE / 2, PAGES * PAGE, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return 5;
    for (unsigned n = PAGES / 2; n < PAGES; n++)
        moved[n * PAGE] = (char)n;
    char *areas[] = {own, later, moved, mapped};
    /* A child has the same pages, and none of them locked: its own may go. */
    pid_t child = fork();
    if (!child) {
        press(areas, 3, fewest);
        _exit(changed(own) || changed(later) || changed(moved));
    }
    int status;
    press(areas, 4, fewest);
    if (child < 0 || wait(&status) < 0 || status)
        return 6;
    printf("stay: %u %u %u %u\n", fewest[0], fewest[1], fewest[2], fewest[3]);
    if (munlockall())
        return 7;
    press(areas, 4, fewest);
    printf("go: %d %d %d %d\n", fewest[0] < PAGES, fewest[1] < PAGES, fewest[2] < PAGES,
           fewest[3] < PAGES);
    puts(changed(own) || changed(later) || changed(moved) ? "wrong" : "right");
}
