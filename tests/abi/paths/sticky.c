/* Folders with the sticky bit: who may remove and rename what in them. */
#include "abi.h"

static void owns(const char *path, int user) {
    put(path, "");
    chown(path, user, user);
    chmod(path, 0666);
}

static void stranger(void) {
    be(SOMEBODY);
    gives(0, unlink, "sticky/mine");
    fails(EPERM, unlink, "sticky/root's");
    fails(EPERM, unlink, "sticky/other's");
    fails(EPERM, rename, "sticky/other's", "sticky/x");
    fails(EPERM, rename, "sticky/other's", "free/x");
    gives(0, rename, "sticky/mine too", "sticky/mine");
    fails(EPERM, rename, "sticky/mine", "sticky/other's");
    fails(EPERM, rename, "free/file", "sticky/other's");
    gives(0, rename, "sticky/mine", "free/mine");
    gives(0, rename, "free/mine", "sticky/mine");
    fails(EPERM, rmdir, "sticky/folder");
    fails(EPERM, renameat2, AT_FDCWD, "sticky/mine", AT_FDCWD, "sticky/other's", RENAME_EXCHANGE);
    gives(0, unlink, "free/root's");
    works(open, "sticky/other's", O_WRONLY | O_TRUNC);
    fails(EPERM, chmod, "sticky/other's", 0600);
    put("sticky/new", "");
}

static void owner_of_folder(void) {
    be(4321);
    gives(0, unlink, "sticky/other's");
    gives(0, unlink, "sticky/root's");
    gives(0, rmdir, "sticky/folder");
    gives(0, unlink, "sticky/new");
}

int main(void) {
    mkdir("sticky", 0755);
    mkdir("free", 0755);
    chmod("sticky", 01777);
    chmod("free", 0777);
    chown("sticky", 4321, 4321);
    owns("sticky/mine", SOMEBODY);
    owns("sticky/mine too", SOMEBODY);
    owns("sticky/root's", 0);
    owns("sticky/other's", 99);
    owns("free/root's", 0);
    owns("free/file", 0);
    mkdir("sticky/folder", 0777);
    in_child("stranger", stranger);
    in_child("owner of the folder", owner_of_folder);
    is("one is left", rmdir("sticky"), -1);
    unlink("sticky/mine");
    is("none is left", rmdir("sticky"), 0);
}
