/* Paths with dots, at roots, in links, behind files. */
#include "abi.h"

static void same(const char *a, const char *b) {
    struct stat one, two;
    int fa = stat(a, &one), ea = errno, fb = stat(b, &two);
    say("%s and %s: %s", a, b,
        fa || fb                                               ? strerrorname_np(fa ? ea : errno)
        : one.st_ino == two.st_ino && one.st_dev == two.st_dev ? "the same"
                                                               : "two");
}

int main(void) {
    mkdir("a", 0700);
    mkdir("a/b", 0700);
    put("a/b/file", "");
    symlink("b/..", "a/up");
    symlink(".", "a/here");
    same("a/./b/../b", "a/b");
    same("a/b/..", "a");
    same("a/up", "a");
    same("a/here/here/here", "a");
    same("/..", "/");
    same("/../..", "/");
    same("a//b///file", "a/b/file");
    same("a/b/file/.", "a");
    same("a/b/file/..", "a");
    same("./././a", "a");
    fails(ENOTDIR, chdir, "a/b/file/..");
    fails(EINVAL, rmdir, "a/.");
    fails(ENOTEMPTY, rmdir, "a/b/..");
    fails(ENOTDIR, unlink, "a/b/file/");
    fails(EISDIR, unlink, "a/b");
    fails(EBUSY, rename, "a/b/.", "c");
    fails(EBUSY, rename, "a", "..");
    fails(EEXIST, mkdir, "a/.", 0700);
    fails(EEXIST, mkdir, "/", 0700);
    gives(0, mkdir, "new/", 0700);
    fails(ENOENT, symlink, "x", "slash/");
}
