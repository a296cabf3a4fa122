/* How many symbolic links one path may go through. */
#include "abi.h"

static void make(int count) {
    char from[16], to[16];
    put("l0", "end");
    for (int i = 1; i <= count; i++) {
        snprintf(from, sizeof from, "l%d", i - 1);
        snprintf(to, sizeof to, "l%d", i);
        symlink(from, to);
    }
}

int main(void) {
    struct stat seen;
    char text[64];
    make(41);
    gives(0, stat, "l40", &seen);
    fails(ELOOP, stat, "l41", &seen);
    fails(ELOOP, open, "l41", O_RDONLY);
    works(open, "l40", O_RDONLY);
    gives(0, lstat, "l41", &seen);
    gives(3, readlink, "l41", text, 64);
    fails(ELOOP, access, "l41", R_OK);
    fails(ELOOP, chmod, "l41", 0600);
    fails(ELOOP, truncate, "l41", 0);
    fails(ELOOP, open, "l1", O_RDONLY | O_NOFOLLOW);
    works(open, "l1", O_PATH | O_NOFOLLOW);
    /* Through folders as well: each walk adds up. */
    mkdir("d", 0700);
    put("d/file", "");
    symlink("d", "s");
    char path[300] = "";
    for (int i = 0; i < 40; i++)
        strcat(path, "s/../");
    strcat(path, "d/file");
    gives(0, stat, path, &seen);
    char more[310] = "s/../";
    strcat(more, path);
    fails(ELOOP, stat, more, &seen);
}
