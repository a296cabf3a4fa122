/* /proc/self/maps: one line for each mapping, joined and split, with rights, offset and name. */
#include "abi.h"

enum { PAGE = 4096 };
static char *base;

static void lines(const char *what) {
    char text[65536], name[200];
    int fd = open("/proc/self/maps", O_RDONLY), length = 0, got;
    while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += got;
    text[length] = 0;
    close(fd);
    say("%s", what);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long from, to, offset, node;
        unsigned major, minor;
        char rights[8];
        *name = 0;
        int found = sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %199[^\n]", &from, &to, rights, &offset,
                           &major, &minor, &node, name);
        if (from < (unsigned long)base || from >= (unsigned long)base + 16 * PAGE)
            continue;
        char *file = strrchr(name, '/');
        say("  %ld+%ld %s offset %lx, node %d '%s'", (long)(from - (unsigned long)base) / PAGE,
            (long)(to - from) / PAGE, rights, offset, node != 0, file ? file + 1 : name);
    }
}

int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, both = PROT_READ | PROT_WRITE;
    base = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 16 * PAGE);
    /* A hole at either end, so that nothing else is joined to it. */
    munmap(base, PAGE);
    munmap(base + 15 * PAGE, PAGE);
    lines("reserved");
    mprotect(base + 2 * PAGE, 2 * PAGE, both);
    lines("two to use");
    mprotect(base + 4 * PAGE, 2 * PAGE, both);
    lines("two more");
    mprotect(base + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC);
    lines("one to run");
    mprotect(base + 3 * PAGE, PAGE, both);
    lines("and back");
    mmap(base + 6 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    mmap(base + 8 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 2 * PAGE);
    lines("a file, in two that follow");
    mmap(base + 10 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 4 * PAGE);
    mmap(base + 11 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 9 * PAGE);
    lines("shared, and another offset");
    rename("file", "renamed");
    lines("renamed");
    munmap(base + 7 * PAGE, 2 * PAGE);
    lines("a hole");
}
