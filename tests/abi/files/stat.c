/* stat, lstat, fstat, newfstatat: what they tell of each kind. */
#include "abi.h"

#include <sys/sysmacros.h>

static void tell(const char *what, const struct stat *of) {
    say("%s: mode %o links %ld uid %d gid %d size %ld device %d,%d blocks of %ld", what,
        of->st_mode, S_ISDIR(of->st_mode) ? 0 : (long)of->st_nlink, of->st_uid, of->st_gid,
        S_ISDIR(of->st_mode) ? 0 : (long)of->st_size, (int)major(of->st_rdev),
        (int)minor(of->st_rdev), (long)of->st_blksize);
}

int main(void) {
    struct stat seen;
    char space[4096];
    put("file", "12345");
    link("file", "second");
    symlink("file", "link");
    mkdir("folder", 0751);
    mkfifo("fifo", 0640);
    chown("fifo", 12, 34);
    gives(0, stat, "file", &seen);
    tell("file", &seen);
    gives(0, stat, "link", &seen);
    tell("through the link", &seen);
    gives(0, lstat, "link", &seen);
    tell("link", &seen);
    gives(0, stat, "folder", &seen);
    tell("folder", &seen);
    gives(0, newfstatat, AT_FDCWD, "fifo", &seen, 0);
    tell("fifo", &seen);
    gives(0, newfstatat, AT_FDCWD, "link", &seen, AT_SYMLINK_NOFOLLOW);
    is("link", S_ISLNK(seen.st_mode), 1);
    gives(0, stat, "/dev/null", &seen);
    say("%o %d,%d", seen.st_mode & S_IFMT, (int)major(seen.st_rdev), (int)minor(seen.st_rdev));
    int fd = open("file", O_RDONLY), path = open("link", O_PATH | O_NOFOLLOW);
    gives(0, fstat, fd, &seen);
    tell("open", &seen);
    gives(0, fstat, path, &seen);
    is("the link itself", S_ISLNK(seen.st_mode), 1);
    gives(0, newfstatat, fd, "", &seen, AT_EMPTY_PATH);
    is("size", seen.st_size, 5);
    gives(0, newfstatat, AT_FDCWD, "", &seen, AT_EMPTY_PATH);
    is("folder", S_ISDIR(seen.st_mode), 1);
    fails(EFAULT, fstat, fd, BAD);
    fails(EBADF, fstat, -1, &seen);
    fails(EFAULT, stat, "file", BAD);
    fails(EFAULT, newfstatat, AT_FDCWD, "file", BAD, 0);
    fails(EBADF, newfstatat, -1, "file", &seen, 0);
    fails(EBADF, newfstatat, -1, "", &seen, AT_EMPTY_PATH);
    fails(ENOTDIR, newfstatat, fd, "file", &seen, 0);
    fails(EINVAL, newfstatat, AT_FDCWD, "file", &seen, 0x8000);
    fails(ENOENT, newfstatat, fd, "", &seen, 0);
    fails(ENOENT, stat, "folder/../nothing", &seen);
    fails(ENOTDIR, stat, "file/.", &seen);
}
