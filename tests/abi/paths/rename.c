/* rename: over files, folders, into itself, and everything refused. */
#include "abi.h"

int main(void) {
    put("a", "a");
    put("b", "b");
    gives(0, rename, "a", "b");
    say("%s %d", get("b"), access("a", F_OK));
    link("b", "c");
    gives(0, rename, "b", "c");
    is("both are still there", access("b", F_OK), 0);
    mkdir("d", 0755);
    mkdir("e", 0755);
    put("e/file", "");
    fails(EISDIR, rename, "b", "d");
    fails(ENOTDIR, rename, "d", "b");
    fails(ENOTEMPTY, rename, "d", "e");
    gives(0, rename, "e", "d");
    fails(EINVAL, rename, "d", "d/inside");
    fails(EINVAL, renameat, AT_FDCWD, "d", AT_FDCWD, "d/inside");
    fails(EBUSY, rename, "d/.", "x");
    fails(EBUSY, rename, "d", "..");
    fails(EBUSY, renameat, AT_FDCWD, ".", AT_FDCWD, "x");
    fails(ENOTDIR, rename, "b", "new/");
    gives(0, rename, "d", "moved/");
    fails(EXDEV, rename, "b", "/dev/b");
    fails(EXDEV, renameat, AT_FDCWD, "b", AT_FDCWD, "/dev/b");
    fails(EISDIR, renameat, AT_FDCWD, "b", AT_FDCWD, "moved");
    mkdir("empty", 0755);
    fails(ENOTEMPTY, renameat, AT_FDCWD, "empty", AT_FDCWD, "moved");
    fails(EEXIST, renameat2, AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE);
    fails(EINVAL, renameat2, AT_FDCWD, "b", AT_FDCWD, "c", 64);
    fails(EINVAL, renameat2, AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE | RENAME_EXCHANGE);
    put("x", "x");
    gives(0, renameat2, AT_FDCWD, "x", AT_FDCWD, "moved", RENAME_EXCHANGE);
    say("%s", get("moved"));
    is("a folder now", access("x/file", F_OK), 0);
    fails(ENOENT, renameat2, AT_FDCWD, "x", AT_FDCWD, "nothing", RENAME_EXCHANGE);
    fails(EINVAL, renameat2, AT_FDCWD, "x", AT_FDCWD, "x/y", 0);
    fails(EISDIR, renameat2, AT_FDCWD, "b", AT_FDCWD, "x", 0);
    fails(ENOTEMPTY, renameat2, AT_FDCWD, "empty", AT_FDCWD, "x", 0);
    fails(EBUSY, renameat2, AT_FDCWD, "x/.", AT_FDCWD, "y", 0);
    fails(EXDEV, renameat2, AT_FDCWD, "b", AT_FDCWD, "/dev/b", 0);
    mkdir("sticky", 01777);
    chmod("sticky", 01777);
    put("sticky/file", "");
    be(SOMEBODY);
    fails(EPERM, rename, "sticky/file", "sticky/other");
    fails(EPERM, renameat, AT_FDCWD, "sticky/file", AT_FDCWD, "sticky/other");
    fails(EPERM, renameat2, AT_FDCWD, "sticky/file", AT_FDCWD, "sticky/other", 0);
    fails(EPERM, unlink, "sticky/file");
    fails(EPERM, unlinkat, AT_FDCWD, "sticky/file", 0);
}
