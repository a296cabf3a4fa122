/* umask: what it takes from which calls; that a child has it. */
#include "abi.h"

static void show(const char *name) {
    struct stat seen;
    stat(name, &seen);
    say("%s: %o", name, seen.st_mode);
}

static void child(void) {
    gives(0, umask, 055);
}

int main(void) {
    gives(022, umask, 077);
    put("file", "");
    mkdir("folder", 0777);
    mknod("fifo", S_IFIFO | 0666, 0);
    show("file");
    show("folder");
    show("fifo");
    gives(077, umask, 01777);
    open("none", O_CREAT | O_RDWR, 0666);
    show("none");
    gives(0777, umask, 0);
    open("all", O_CREAT | O_RDWR, 07777);
    show("all");
    mkdir("sticky", 01777);
    show("sticky");
    in_child("child", child);
    gives(0, umask, 022);
    chmod("file", 0666);
    show("file");
}
