/* open, openat and creat: kinds of files, flags, and everything refused. */
#include "abi.h"

int main(void) {
    put("file", "text");
    mkdir("folder", 0755);
    symlink("file", "link");
    symlink("nothing", "dangling");
    fails(EEXIST, open, "file", O_RDONLY | O_CREAT | O_EXCL, 0644);
    fails(EEXIST, openat, AT_FDCWD, "dangling", O_RDONLY | O_CREAT | O_EXCL, 0644);
    fails(EISDIR, open, "folder", O_WRONLY);
    fails(EISDIR, openat, AT_FDCWD, "folder", O_RDWR);
    fails(EISDIR, open, "folder", O_RDONLY | O_CREAT, 0644);
    fails(EISDIR, creat, "folder", 0644);
    fails(ENOTDIR, open, "file", O_RDONLY | O_DIRECTORY);
    fails(ENOTDIR, open, "file/", O_RDONLY);
    fails(EISDIR, open, "new/", O_RDONLY | O_CREAT, 0644);
    fails(ELOOP, open, "link", O_RDONLY | O_NOFOLLOW);
    fails(ENOENT, open, "dangling", O_RDONLY);
    works(open, "link", O_PATH | O_NOFOLLOW);
    fails(EINVAL, open, "file", O_RDONLY | O_CREAT | O_TMPFILE, 0644);
    fails(EINVAL, openat, AT_FDCWD, ".", O_TMPFILE | O_RDONLY, 0644);
    fails(EINVAL, open, ".", O_TMPFILE | O_RDONLY, 0644);
    works(open, ".", O_TMPFILE | O_RDWR, 0644);
    works(open, "dangling", O_RDWR | O_CREAT, 0600);
    is("made through the link", access("nothing", F_OK), 0);
    mkfifo("fifo", 0644);
    fails(ENXIO, open, "fifo", O_WRONLY | O_NONBLOCK);
    fails(ENXIO, openat, AT_FDCWD, "fifo", O_WRONLY | O_NONBLOCK);
    works(open, "fifo", O_RDONLY | O_NONBLOCK);
    works(open, "fifo", O_WRONLY | O_NONBLOCK);
    fails(ENXIO, open, "/dev/tty", O_RDWR);
    fails(EBADF, openat, -1, "file", O_RDONLY);
    fails(EBADF, openat, 1000, "file", O_RDONLY);
    int fd = works(openat, AT_FDCWD, "file", O_RDONLY);
    fails(ENOTDIR, openat, fd, "file", O_RDONLY);
    works(openat, -1, "/dev/null", O_RDONLY);
    int folder = works(open, "folder", O_RDONLY | O_DIRECTORY);
    works(openat, folder, "../file", O_RDONLY);
    /* An access mode of 3 asks for rights to both, and gives neither. */
    char byte;
    int neither = works(open, "file", 3);
    fails(EBADF, read, neither, &byte, 1);
    fails(EBADF, write, neither, &byte, 1);
    fd = works(creat, "file", 0644);
    struct stat seen;
    gives(0, fstat, fd, &seen);
    is("truncated", seen.st_size, 0);
    fd = works(open, "mode", O_RDWR | O_CREAT, 07777);
    gives(0, fstat, fd, &seen);
    is("mode", seen.st_mode, 0107755);
    struct rlimit few = {5, 5};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, open, "file", O_RDONLY);
    fails(EMFILE, openat, AT_FDCWD, "file", O_RDONLY);
    fails(EMFILE, creat, "file", 0644);
}
