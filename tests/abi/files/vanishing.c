/* Files that are removed, replaced and cut while they are open; descriptors that stay. */
#include "abi.h"

int main(void) {
    char data[32] = "";
    struct stat seen;
    put("file", "first");
    int fd = open("file", O_RDWR), again;
    gives(0, unlink, "file");
    gives(5, read, fd, data, 32);
    gives(7, pwrite64, fd, "written", 7, 0);
    gives(0, fstat, fd, &seen);
    say("%d links, %d bytes", (int)seen.st_nlink, (int)seen.st_size);
    gives(0, ftruncate, fd, 3);
    gives(0, fchmod, fd, 0600);
    gives(0, fchown, fd, 1, 1);
    gives(0, futimesat, fd, NULL, NULL);
    put("file", "second");
    gives(3, pread64, fd, data, 32, 0);
    say("%.3s %s", data, get("file"));
    put("third", "third");
    again = open("file", O_RDONLY);
    gives(0, rename, "third", "file");
    memset(data, 0, sizeof data);
    gives(6, read, again, data, 32);
    say("%s %s", data, get("file"));
    /* Cut behind where others read. */
    int reads = open("file", O_RDONLY), writes = open("file", O_WRONLY),
        appends = open("file", O_WRONLY | O_APPEND);
    gives(5, read, reads, data, 5);
    close(open("file", O_WRONLY | O_TRUNC));
    gives(0, read, reads, data, 5);
    gives(3, write, appends, "abc", 3);
    gives(0, read, reads, data, 5);
    lseek(writes, 8, SEEK_SET);
    gives(1, write, writes, "x", 1);
    gives(4, read, reads, data, 5);
    gives(9, pread64, reads, data, 32, 0);
    is("a hole", data[4], 0);
    gives(0, lseek, appends, 0, SEEK_SET);
    gives(1, write, appends, "y", 1);
    gives(10, lseek, appends, 0, SEEK_CUR);
    gives(1, pwrite64, appends, "z", 1, 0); /* at the end, as on Linux */
    gives(11, lseek, appends, 0, SEEK_END);
    /* Folders. */
    mkdir("folder", 0755);
    int folder = open("folder", O_RDONLY);
    gives(0, rmdir, "folder");
    fails(ENOENT, openat, folder, "x", O_CREAT | O_WRONLY, 0600);
    fails(ENOENT, mkdirat, folder, "x", 0700);
    fails(ENOENT, renameat, AT_FDCWD, "file", folder, "x");
    fails(ENOENT, linkat, AT_FDCWD, "file", folder, "x", 0);
    fails(ENOENT, symlinkat, "x", folder, "x");
    fails(ENOENT, openat, folder, "x", O_RDONLY);
    works(openat, folder, ".", O_RDONLY);
    mkdir("folder", 0755);
    gives(0, fstat, folder, &seen);
    is("another", seen.st_nlink, 0);
    gives(0, fchmod, folder, 0700);
    stat("folder", &seen);
    say("%o", seen.st_mode);
}
