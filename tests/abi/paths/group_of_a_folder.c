/* What is made in a folder with set-group-id has its group; folders the bit, too. */
#include "abi.h"

static void show(const char *name) {
    struct stat seen;
    lstat(name, &seen);
    say("%s: %o group %d", name, seen.st_mode, seen.st_gid);
}

static void somebody(void) {
    be(SOMEBODY);
    mkdir("folder/theirs", 0755);
    close(open("folder/program", O_CREAT | O_RDWR, 02755));
    fails(EPERM, chown, "folder/program", SOMEBODY, 778);
    gives(0, chmod, "folder/program", 02755);
}

int main(void) {
    mkdir("folder", 0777);
    chown("folder", 0, 777);
    chmod("folder", 02777);
    put("folder/file", "");
    mkdir("folder/inner", 0755);
    symlink("x", "folder/link");
    show("folder/file");
    show("folder/inner");
    show("folder/link");
    in_child("somebody", somebody);
    show("folder/theirs");
    show("folder/program");
}
