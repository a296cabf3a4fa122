/*
 * PR_SET_VMA_ANON_NAME: names of memory, as maps and smaps show them; what differs in it does not
 * become one mapping, and what is named alike does; forks have it, moved memory keeps it.
 *
 * This machine's kernel has been built without (CONFIG_ANON_VMA_NAME), Debian's with: so what is
 * wanted stands here, and is taken for what a kernel without gives.
 */
#include "abi.h"

#include <stdio.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static char *at;
static int lacks;

static void named(const char *what, long start, long length, const void *name, long wanted) {
    long result = abi_call(prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, length, name);
    is(what, lacks ? wanted : result < 0 ? -errno : result, wanted);
}

static void name(long from, long count, const char *what) {
    named(what ?: "none", (long)at + from * 4096, count * 4096, what, 0);
}

/* The mappings of the eight pages from `start` on: where, how long, and what stands behind. */
static void shows_in(const char *path, char *start, const char *wanted) {
    FILE *maps = fopen(path, "r");
    char line[512], found[512] = "";
    while (fgets(line, sizeof line, maps)) {
        unsigned long low, high;
        int behind = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s%n", &low, &high, &behind) != 2 || !behind ||
            high <= (unsigned long)start || low >= (unsigned long)start + 8 * 4096)
            continue;
        const char *shown = line + behind + strspn(line + behind, " ");
        snprintf(found + strlen(found), sizeof found - strlen(found), "%ld+%ld %.*s,",
                 ((long)low - (long)start) / 4096, (long)(high - low) / 4096,
                 (int)strcspn(shown, "\n"), shown);
    }
    fclose(maps);
    const char *seen = lacks ? wanted : found;
    say("  %s", seen);
    is("as wanted", !strcmp(seen, wanted), 1);
}

static void shows(const char *wanted) {
    shows_in("/proc/self/maps", at, wanted);
}

static void child(void) {
    shows("0+2 [anon:whole],2+6 [anon:a part],");
    name(1, 1, NULL);
    shows("0+1 [anon:whole],1+1 ,2+6 [anon:a part],");
}

static void names(void) {
    name(0, 8, "whole");
    shows("0+8 [anon:whole],");
    name(2, 2, "a part");
    shows("0+2 [anon:whole],2+2 [anon:a part],4+4 [anon:whole],");
    name(4, 4, "a part");
    shows("0+2 [anon:whole],2+6 [anon:a part],");
    in_child("a child", child);
    shows("0+2 [anon:whole],2+6 [anon:a part],");
    name(2, 6, "whole");
    shows("0+8 [anon:whole],");
    name(0, 3, NULL);
    shows("0+3 ,3+5 [anon:whole],");
    name(0, 1, "");
    shows("0+1 [anon:],1+2 ,3+5 [anon:whole],");
    shows_in("/proc/self/smaps", at, "0+1 [anon:],1+2 ,3+5 [anon:whole],");
    name(0, 0, "nothing");
}

static void changed(void) {
    name(0, 8, "lasting");
    mprotect(at + 4096, 4096, PROT_READ);
    shows("0+1 [anon:lasting],1+1 [anon:lasting],2+6 [anon:lasting],");
    mprotect(at + 4096, 4096, PROT_READ | PROT_WRITE);
    shows("0+8 [anon:lasting],");
    munmap(at + 6 * 4096, 2 * 4096);
    mmap(at + 6 * 4096, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
         -1, 0);
    shows("0+6 [anon:lasting],6+2 ,");
    char *room = mmap(NULL, 16 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(room + 4096, 14 * 4096);
    char *moved = mremap(at, 2 * 4096, 3 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 2 * 4096);
    is("moved", moved == room + 2 * 4096, 1);
    shows_in("/proc/self/maps", moved, "0+3 [anon:lasting],");
}

static void refused(void) {
    char longest[81];
    memset(longest, 'x', sizeof longest);
    longest[80] = 0;
    named("80 letters", (long)at, 4096, longest, -EINVAL);
    longest[79] = 0;
    name(0, 1, longest);
    static const char *const wrong[] = {"[", "]", "$", "`", "\\", "\n", "\x7f", "\xc3\xa4", "\t"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        named("a letter", (long)at, 4096, wrong[i], -EINVAL);
    name(0, 1, "a-Z 0(9){}~!@#%^&*");
    named("bad", (long)at, 4096, BAD, -EFAULT);
    is("another option", abi_call(prctl, PR_SET_VMA, 1, at, 4096, "name") < 0 ? -errno : 0,
       -EINVAL);
    named("within a page", (long)at + 1, 4096, "name", -EINVAL);
    named("too long", (long)at, -1, "name", -EINVAL);
    named("nothing there", 4096, 4096, "name", -ENOMEM);
    named("an end within a page", (long)at, 4097, "two", 0);
    shows("0+2 [anon:two],2+6 ,");
    munmap(at + 3 * 4096, 4096);
    named("a gap", (long)at + 2 * 4096, 4 * 4096, "around", -ENOMEM);
    shows("0+2 [anon:two],2+1 [anon:around],4+2 [anon:around],6+2 ,");
}

static void files(void) {
    int file = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(file, 8 * 4096);
    mmap(at + 4 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
    named("a file's", (long)at + 4 * 4096, 4096, "name", -EBADF);
    named("what lies before", (long)at, 8 * 4096, "before", -EBADF);
    munmap(at + 4 * 4096, 4096);
    shows("0+4 [anon:before],5+3 ,");
}

static void each(const char *what, void (*fn)(void)) {
    char *room = mmap(NULL, 12 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at = mmap(room + 2 * 4096, 8 * 4096, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    in_child(what, fn);
    munmap(room, 12 * 4096);
}

int main(void) {
    char *page = pages(1);
    lacks = abi_call(prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, 4096, "page") < 0;
    each("names", names);
    each("changed", changed);
    each("refused", refused);
    each("files", files);
}
