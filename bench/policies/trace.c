/*
 * trace SHAPE FILE CLASS FRAMES: reads pages of a file in some order, under a policy of its own,
 * and tells how often the file had to be asked for one.
 *
 *   loop   all pages in order, again and again
 *   zipf   page n with a likelihood of 1/n
 *   mixed  every other read goes through all pages in order, those between are of any page of some
 *          three eighths of the file
 *
 * Every page begins with its number, which is looked at. Prints accesses and pages that came.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE     4096
#define CONTROL  "/proc/k42/replacement"
#define ACCESSES 16 /* for each page of the file */

static unsigned pages;
static double *sums; /* of 1/1 to 1/n */
static uint64_t seed = 42;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "trace: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double chance(void) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (double)(seed >> 11) / (double)(1ul << 53);
}

/* Neighbours in rank are not neighbours in the file, which has a power of two of pages. */
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
    if (!strcmp(shape, "loop"))
        return at % pages;
    if (!strcmp(shape, "zipf"))
        return zipf(pages);
    return at % 2 ? at / 2 % pages : (unsigned)(chance() * 3 / 8 * pages) * 5 % pages;
}

/* What has come so far to the only PM of the class that has a limit. */
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
            !strcmp(name, class_) && limit >= 0)
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
        sums[n] = sums[n - 1] + 1.0 / n;
    choose(fd, arguments[3], arguments[4]);
    unsigned accesses = pages * ACCESSES;
    for (unsigned at = 0; at < accesses; at++) {
        unsigned wanted = next_page(arguments[1], at), number;
        if (pread(fd, page, PAGE, (off_t)wanted * PAGE) != PAGE)
            die("read");
        memcpy(&number, page, sizeof number);
        if (number != wanted) {
            fprintf(stderr, "trace: page %u holds page %u\n", wanted, number);
            return 1;
        }
    }
    printf("%u %lu\n", accesses, came(arguments[3]));
    choose(fd, "pm.turns", "max"); /* which ends the one that was counted */
}
