/*
 * trace SHAPE FILE CLASS FRAMES: reads pages of a file in some order, under a policy of its own,
 * and tells how often the file had to be asked for one.
 *
 *   loop   a quarter of the file in order, again and again
 *   zipf   page n of the file with a likelihood of n^-0.9: a quarter of it takes four reads of five
 *   mixed  three reads like that of a quarter of the file, then one of the rest of it, in order
 *
 * So in each the working set is a quarter of the file, of which memory is to hold half.
 * Every page begins with its number, which is looked at. Prints accesses and pages that came.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE     4096
#define CONTROL  "/proc/k42/replacement"
#define ACCESSES 40000u
#define EXPONENT 0.9

static unsigned pages;
static double *sums; /* of the likelihoods of the first n */
static uint64_t seed = 42;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "trace: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double chance(void) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (double)(seed >> 11) / (double)(1ul << 53);
}

/* One of the first pages; neighbours in rank are not neighbours in the file, and there is a power
 * of two of pages. */
static unsigned zipf(unsigned of) {
    double at = chance() * sums[of];
    unsigned low = 0, high = of - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (sums[middle + 1] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low * 1237 % of;
}

static unsigned next_page(const char *shape, unsigned at) {
    unsigned quarter = pages / 4;
    if (!strcmp(shape, "loop"))
        return at % quarter;
    if (!strcmp(shape, "zipf"))
        return zipf(pages);
    return at % 4 == 3 ? quarter + at / 4 % (pages - quarter) : zipf(quarter);
}

/* What has come so far to the only PM of the class that has a limit and a cache: those of earlier
 * runs have none, and last until their frames have come back. */
static unsigned long came(const char *class_) {
    FILE *file = fopen(CONTROL, "r");
    char line[512], name[64];
    unsigned long found = 0, values[8];
    long limit;
    if (!file)
        die(CONTROL);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*u %63s %lu %ld %lu %lu %lu %lu %lu %lu %lu", name, &values[0], &limit,
                   &values[1], &values[2], &values[3], &values[4], &values[5], &values[6],
                   &values[7]) == 10 &&
            !strcmp(name, class_) && limit >= 0 && values[1])
            found = values[7];
    fclose(file);
    return found;
}

static void choose(int fd, const char *class_, const char *frames) {
    char line[80];
    int size = snprintf(line, sizeof line, "%d %s %s\n", fd, class_, frames);
    int control = open(CONTROL, O_WRONLY);
    if (control < 0 || write(control, line, (size_t)size) != size)
        die(CONTROL);
    close(control);
}

int main(int count, char **arguments) {
    struct stat status;
    static char page[PAGE];
    if (count != 5)
        return 2;
    int fd = open(arguments[2], O_RDONLY);
    if (fd < 0 || fstat(fd, &status))
        die(arguments[2]);
    pages = (unsigned)(status.st_size / PAGE);
    sums = calloc(pages + 1, sizeof *sums);
    for (unsigned n = 1; n <= pages; n++)
        sums[n] = sums[n - 1] + pow(n, -EXPONENT);
    choose(fd, arguments[3], arguments[4]);
    for (unsigned at = 0; at < ACCESSES; at++) {
        unsigned wanted = next_page(arguments[1], at), number;
        if (pread(fd, page, PAGE, (off_t)wanted * PAGE) != PAGE)
            die("read");
        memcpy(&number, page, sizeof number);
        if (number != wanted) {
            fprintf(stderr, "trace: page %u holds page %u\n", wanted, number);
            return 1;
        }
    }
    printf("%u %lu\n", ACCESSES, came(arguments[3]));
    choose(fd, "pm.turns", "max"); /* which ends the one that was counted */
}
