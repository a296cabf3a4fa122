/* unlink and rmdir: what each removes, and what it leaves. */
#include "abi.h"

int main(void) {
    mkdir("folder", 0700);
    put("folder/file", "");
    symlink("folder", "link");
    mkfifo("fifo", 0600);
    fails(EISDIR, unlink, "folder");
    fails(ENOTEMPTY, rmdir, "folder");
    fails(ENOTDIR, rmdir, "link");
    fails(ENOTDIR, rmdir, "folder/file");
    fails(ENOTDIR, rmdir, "fifo");
    gives(0, unlink, "link");
    is("still there", access("folder/file", F_OK), 0);
    gives(0, unlink, "fifo");
    gives(0, unlink, "folder/file");
    gives(0, rmdir, "folder/");
    fails(ENOENT, rmdir, "folder");
    fails(ENOENT, unlink, "folder");
    fails(EBUSY, rmdir, "/");
    fails(EINVAL, rmdir, ".");
    fails(EINVAL, unlinkat, AT_FDCWD, "x", 1);
}
