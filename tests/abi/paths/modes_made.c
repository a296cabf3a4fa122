/* The modes that new files get: mask, the folder's group, bits that are asked for. */
#include "abi.h"

static void mode(const char *path) {
    struct stat seen;
    lstat(path, &seen);
    say("%s: %06o of %d:%d", path, seen.st_mode, seen.st_uid, seen.st_gid);
}

static void make_in(const char *folder) {
    char path[100];
    const int wanted[] = {0777, 0666, 0, 07777, 02755, 04711, 01777};
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        snprintf(path, sizeof path, "%s/file%o", folder, wanted[i]);
        close(open(path, O_CREAT | O_WRONLY, wanted[i]));
        mode(path);
        snprintf(path, sizeof path, "%s/folder%o", folder, wanted[i]);
        mkdir(path, wanted[i]);
        mode(path);
        snprintf(path, sizeof path, "%s/pipe%o", folder, wanted[i]);
        mknod(path, S_IFIFO | wanted[i], 0);
        mode(path);
    }
    snprintf(path, sizeof path, "%s/link", folder);
    symlink("anything", path);
    mode(path);
}

static void somebody(void) {
    be(SOMEBODY);
    umask(02);
    make_in("of_group");
}

int main(void) {
    mkdir("plain", 0777);
    mkdir("masked", 0777);
    mkdir("of_group", 0777);
    chown("of_group", 0, 77);
    chmod("of_group", 02777);
    mode("of_group");
    umask(0);
    make_in("plain");
    umask(0777);
    make_in("masked");
    in_child("somebody", somebody);
    gives(0777, umask, 022);
    gives(022, umask, 07777);
    gives(0777, umask, 022);
}
