/*
 * reads FILE loop|random PAGES: reads so many pages of a file, in order and over again from its
 * beginning, or at random. Each page of the file begins with its number, which is looked at.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

static uint64_t seed = 42;

static uint64_t chance(uint64_t of) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (seed >> 33) % of;
}

int main(int count, char **arguments) {
    static char page[PAGE];
    struct stat status;
    int file = count == 4 ? open(arguments[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &status) || status.st_size < PAGE)
        return 2;
    uint64_t pages = (uint64_t)status.st_size / PAGE, turns = strtoul(arguments[3], NULL, 10);
    for (uint64_t n = 0; n < turns; n++) {
        uint64_t wanted = strcmp(arguments[2], "loop") ? chance(pages) : n % pages;
        uint32_t number;
        if (pread(file, page, PAGE, (off_t)(wanted * PAGE)) != PAGE)
            return 3;
        memcpy(&number, page, sizeof number);
        if (number != wanted) {
            printf("page %lu holds page %u\n", wanted, number);
            return 1;
        }
    }
    return 0;
}
