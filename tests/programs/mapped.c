/*
 * A file that is mapped: what it takes to touch a word of each page, and whether the words are what
 * read gives. `mapped FILE` maps it shared, `mapped FILE private` private, `mapped FILE advise`
 * says only that large pages would be of use.
 */
#include "say.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096 };

static long kilobytes_of_tables(void) {
    static char text[8192];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t got = read(fd, text, sizeof text - 1);
    char *line = got > 0 ? strstr(text, "VmPTE:") : NULL;
    close(fd);
    return line ? strtol(line + 6, NULL, 10) : -1;
}

static long microseconds(const struct rusage *usage) {
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_usec;
}

static uint64_t sum_of_words(const char *bytes, size_t size) {
    uint64_t sum = 0;
    for (size_t at = 0; at + 8 <= size; at += PAGE)
        sum = sum * 31 + *(const volatile uint64_t *)(bytes + at);
    return sum;
}

static uint64_t sum_by_reading(int fd, size_t size) {
    static char bytes[32 * PAGE];
    uint64_t sum = 0;
    for (size_t at = 0; at + 8 <= size; at += sizeof bytes) {
        ssize_t got = pread(fd, bytes, sizeof bytes, at);
        for (ssize_t here = 0; here + 8 <= got; here += PAGE)
            sum = sum * 31 + *(const uint64_t *)(bytes + here);
    }
    return sum;
}

int main(int count, char **arguments) {
    const char *how = count > 2 ? arguments[2] : "shared";
    int fd = count > 1 ? open(arguments[1], O_RDONLY) : -1;
    struct rusage before, after;
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size <= 0)
        return 2;
    char *bytes =
        mmap(NULL, size, PROT_READ, strcmp(how, "private") ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return 3;
    if (!strcmp(how, "advise"))
        return madvise(bytes, size, MADV_HUGEPAGE) != 0;
    long tables = kilobytes_of_tables();
    getrusage(RUSAGE_SELF, &before);
    uint64_t sum = sum_of_words(bytes, size);
    getrusage(RUSAGE_SELF, &after);
    say("%ld pages: %ld faults, %ld us, %ld kB of tables, %s", (long)((size + PAGE - 1) / PAGE),
        after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt,
        microseconds(&after) - microseconds(&before), kilobytes_of_tables() - tables,
        sum == sum_by_reading(fd, size) ? "right" : "wrong");
    return 0;
}
