/* swapon and swapoff: what is no area, and who may not ask. */
#include "abi.h"

#define PAGE  4096
#define PAGES 8

/* As mkswap makes it, of another version. */
static void make(const char *name, int version) {
    static char page[PAGE];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), words[3] = {version, PAGES - 1, 0};
    for (int i = 0; i < PAGES; i++) {
        memset(page, 0, PAGE);
        if (!i) {
            memcpy(page + 1024, words, sizeof words);
            memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
        }
        if (write(fd, page, PAGE) != PAGE)
            give_up("write");
    }
    close(fd);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, swapon, "newer", 0);
    fails(EPERM, swapoff, "newer");
    fails(EINVAL, swapon, BAD, -1);
}

int main(void) {
    make("newer", 7);
    put("short", "");
    mkdir("folder", 0700);
    fails(EINVAL, swapon, "newer", 0);
    fails(EINVAL, swapon, "short", 0);
    fails(EISDIR, swapon, "folder", 0);
    fails(EINVAL, swapon, "short", 0x10000000);
    in_child("somebody", somebody);
    fails(EINVAL, swapoff, "newer");
    fails(EINVAL, swapoff, "short");
    fails(EISDIR, swapoff, "folder");
    fails_on_bad_paths(swapon, path, 0);
    fails_on_bad_paths(swapoff, path);
}
