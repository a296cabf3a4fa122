/* Whose times change when names come and go. */
#include "abi.h"

static void old(void) {
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    utimensat(AT_FDCWD, "folder", times, 0);
}

static void show(const char *what) {
    struct stat seen;
    stat("folder", &seen);
    say("%s: %s", what, seen.st_mtime == 1000 ? "as before" : "new");
}

int main(void) {
    mkdir("folder", 0700);
    old();
    put("folder/file", "");
    show("made");
    old();
    link("folder/file", "folder/other");
    show("linked");
    old();
    rename("folder/other", "folder/third");
    show("renamed");
    old();
    unlink("folder/third");
    show("removed");
    old();
    put("folder/file", "text");
    show("written");
    old();
    chmod("folder/file", 0600);
    show("changed");
}
