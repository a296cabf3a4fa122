/* renameat2: without replacing, and exchanging; and plain rename to itself. */
#include "abi.h"

int main(void) {
    put("a", "first");
    put("b", "second");
    mkdir("folder", 0700);
    fails(EEXIST, renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1);
    gives(0, renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1);
    gives(0, renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 2);
    say("%s", get("b"));
    say("%s", get("c"));
    gives(0, renameat2, AT_FDCWD, "b", AT_FDCWD, "folder", 2);
    struct stat seen;
    stat("b", &seen);
    is("a folder", S_ISDIR(seen.st_mode), 1);
    fails(ENOENT, renameat2, AT_FDCWD, "b", AT_FDCWD, "none", 2);
    fails(EINVAL, renameat2, AT_FDCWD, "b", AT_FDCWD, "c", 3);
    fails(EINVAL, renameat2, AT_FDCWD, "b", AT_FDCWD, "c", 8);
    fails(EINVAL, renameat2, AT_FDCWD, "b", AT_FDCWD, "b/inside", 0);
    gives(0, rename, "c", "c");
    link("c", "d");
    gives(0, rename, "c", "d");
    is("both there", access("c", F_OK) | access("d", F_OK), 0);
    fails(ENOTDIR, rename, "b", "c");
    fails(EISDIR, rename, "c", "b");
}
