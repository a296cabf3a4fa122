/* swapon and swapoff: an area in a file is used, and given back; files that are none. */
#include "abi.h"

#define PAGE  4096
#define PAGES 64

/* As mkswap makes it. */
static void make(const char *name, int version, int last) {
    static char page[PAGE];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), words[3] = {version, last, 0};
    for (int i = 0; i < PAGES; i++) {
        memset(page, 0, PAGE);
        if (!i) {
            memcpy(page + 1024, words, sizeof words);
            memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
        }
        if (write(fd, page, PAGE) != PAGE)
            give_up("write");
    }
    fsync(fd);
    close(fd);
}

static int areas(void) {
    const char *text = get("/proc/swaps");
    int lines = 0;
    while ((text = strchr(text, '\n')) && text++)
        lines++;
    return lines;
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, swapon, "area", 0);
    fails(EPERM, swapoff, "area");
    fails(EINVAL, swapon, BAD, -1);
}

int main(void) {
    int before = areas();
    make("area", 1, PAGES - 1);
    make("newer", 7, PAGES - 1);
    put("short", "");
    mkdir("folder", 0700);
    gives(0, swapon, "area", 0x8000 | 5);
    is("one more", areas() - before, 1);
    fails(EINVAL, swapon, "newer", 0);
    fails(EINVAL, swapon, "short", 0);
    fails(EISDIR, swapon, "folder", 0);
    fails(EINVAL, swapon, "area", 0x10000000);
    in_child("somebody", somebody);
    gives(0, swapoff, "area");
    is("gone", areas() - before, 0);
    fails(EINVAL, swapoff, "area");
    fails(EINVAL, swapoff, "short");
    fails(EISDIR, swapoff, "folder");
    gives(0, swapon, "area", 0);
    gives(0, swapoff, "area");
    fails_on_bad_paths(swapon, path, 0);
    fails_on_bad_paths(swapoff, path);
}
