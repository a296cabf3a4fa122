/* linkat: what is followed, by descriptor, by whom, and what has no second name. */
#include "abi.h"

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, link, "file", "closed/x");
    fails(EACCES, link, "closed/file", "x");
    gives(0, chdir, "open");
    put("mine", "");
    gives(0, link, "mine", "second");
}

int main(void) {
    struct stat seen;
    put("file", "text");
    symlink("file", "soft");
    symlink("nothing", "dangling");
    mkdir("folder", 0755);
    mkdir("closed", 0700);
    mkdir("open", 0777);
    chmod("open", 0777);
    put("closed/file", "");
    mkfifo("fifo", 0644);
    gives(0, linkat, AT_FDCWD, "soft", AT_FDCWD, "a link", 0);
    lstat("a link", &seen);
    say("%o", seen.st_mode & S_IFMT);
    gives(0, linkat, AT_FDCWD, "soft", AT_FDCWD, "a file", AT_SYMLINK_FOLLOW);
    lstat("a file", &seen);
    say("%o %d", seen.st_mode & S_IFMT, (int)seen.st_nlink);
    gives(0, linkat, AT_FDCWD, "dangling", AT_FDCWD, "dangling too", 0);
    fails(ENOENT, linkat, AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW);
    gives(0, link, "fifo", "fifo too");
    lstat("fifo too", &seen);
    say("%o %d", seen.st_mode & S_IFMT, (int)seen.st_nlink);
    fails(EEXIST, link, "file", "dangling");
    fails(EEXIST, link, "file", "file");
    fails(EPERM, link, "folder", "x");
    fails(EPERM, link, "folder/.", "x");
    fails(EEXIST, link, "file", ".");
    fails(EEXIST, link, "file", "folder");
    fails(ENOENT, link, "nothing", "x");
    fails(ENOENT, link, "file", "");
    fails(ENOENT, link, "", "x");
    fails(ENOENT, link, "file", "nothing/x");
    fails(ENOTDIR, link, "file/x", "x");
    fails(ENOTDIR, link, "file", "file/x");
    fails(EINVAL, linkat, AT_FDCWD, "file", AT_FDCWD, "x", 1);
    int folder = open("folder", O_RDONLY), fd = open("file", O_RDONLY);
    gives(0, linkat, AT_FDCWD, "file", folder, "inside", 0);
    gives(0, linkat, folder, "inside", AT_FDCWD, "outside", 0);
    gives(0, linkat, folder, "../file", folder, "../third", 0);
    fails(ENOTDIR, linkat, fd, "x", AT_FDCWD, "y", 0);
    fails(ENOTDIR, linkat, AT_FDCWD, "file", fd, "y", 0);
    fails(EBADF, linkat, 99, "x", AT_FDCWD, "y", 0);
    fails(EBADF, linkat, AT_FDCWD, "file", 99, "y", 0);
    gives(0, linkat, fd, "", AT_FDCWD, "by descriptor", AT_EMPTY_PATH);
    stat("by descriptor", &seen);
    is("links", seen.st_nlink, 6);
    fails(EPERM, linkat, folder, "", AT_FDCWD, "y", AT_EMPTY_PATH);
    fails(ENOENT, linkat, fd, "", AT_FDCWD, "y", 0);
    in_child("somebody", somebody);
    /* Renaming one name of a file to another does nothing at all. */
    gives(0, rename, "third", "outside");
    is("both", access("third", F_OK), 0);
    fails(EEXIST, renameat2, AT_FDCWD, "third", AT_FDCWD, "outside", RENAME_NOREPLACE);
    gives(0, renameat2, AT_FDCWD, "third", AT_FDCWD, "outside", RENAME_EXCHANGE);
    gives(0, rename, "third", "third");
}
