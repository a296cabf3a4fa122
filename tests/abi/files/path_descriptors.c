/* O_PATH: a descriptor that only names a file. */
#include "abi.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

int main(void) {
    char byte, text[64] = "";
    struct stat seen;
    struct statfs system;
    put("file", "text");
    mkdir("folder", 0755);
    put("folder/inner", "inside");
    symlink("file", "link");
    mkfifo("fifo", 0600);
    int fd = works(open, "file", O_PATH);
    fails(EBADF, read, fd, &byte, 1);
    fails(EBADF, write, fd, "x", 1);
    fails(EBADF, pread64, fd, &byte, 1, 0);
    fails(EBADF, lseek, fd, 0, SEEK_SET);
    fails(EBADF, ioctl, fd, FIONREAD, &byte);
    fails(EBADF, ftruncate, fd, 0);
    fails(EBADF, fchmod, fd, 0600);
    fails(EBADF, fchown, fd, 1, 1);
    fails(EBADF, fsync, fd);
    fails(EBADF, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    fails(EBADF, flock, fd, LOCK_SH);
    fails(EBADF, fallocate, fd, 0, 0, 10);
    fails(EBADF, getdents64, fd, text, sizeof text);
    fails(EBADF, fcntl, fd, F_SETFL, O_APPEND);
    fails(EBADF, fcntl, fd, F_GETLK, text);
    gives(1, poll, &(struct pollfd){fd, POLLIN}, 1, 0);
    gives(0, fstat, fd, &seen);
    is("size", seen.st_size, 4);
    gives(0, fstatfs, fd, &system);
    int copy = works(dup, fd);
    gives(0, fcntl, copy, F_GETFD);
    say("%o", fcntl(copy, F_GETFL));
    /* It names its file wherever that goes. */
    rename("file", "moved");
    snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
    int opened = works(open, text, O_RDWR);
    gives(1, read, opened, &byte, 1);
    say("%c", byte);
    gives(0, newfstatat, fd, "", &seen, AT_EMPTY_PATH);
    /* Links and pipes are named without being followed or opened. */
    int link = works(open, "link", O_PATH | O_NOFOLLOW);
    fstat(link, &seen);
    say("%o", seen.st_mode & S_IFMT);
    memset(text, 0, sizeof text);
    gives(4, readlinkat, link, "", text, sizeof text);
    say("%s", text);
    int fifo = works(open, "fifo", O_PATH);
    fstat(fifo, &seen);
    say("%o", seen.st_mode & S_IFMT);
    /* A folder can be entered by one, and looked in, not read. */
    int folder = works(open, "folder", O_PATH | O_DIRECTORY);
    works(openat, folder, "inner", O_RDONLY);
    fails(EBADF, getdents64, folder, text, sizeof text);
    fails(ENOTDIR, openat, copy, "inner", O_RDONLY);
    fails(ENOTDIR, open, "moved", O_PATH | O_DIRECTORY);
    gives(0, fchdir, folder);
    say("%s", get("inner"));
    fails(ENOTDIR, fchdir, copy);
    chdir("..");
    chmod("moved", 0);
    with_rights_of(SOMEBODY);
    works(open, "moved", O_PATH);
    fails(EACCES, open, "moved", O_RDONLY);
}
