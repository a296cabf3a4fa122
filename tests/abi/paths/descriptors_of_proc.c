/* /proc/self/fd: opened anew with other rights, of pipes, of what has lost its name. */
#include "abi.h"

#include <dirent.h>

static char path[64];

static const char *of(int fd) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

int main(void) {
    char data[16] = "";
    struct stat seen, other;
    put("file", "text");
    int reads = open("file", O_RDONLY);
    int writes = works(open, of(reads), O_WRONLY);
    gives(1, write, writes, "T", 1);
    gives(4, read, reads, data, sizeof data);
    say("%s", data);
    int again = works(open, of(reads), O_RDONLY);
    gives(4, read, again, data, sizeof data);
    unlink("file");
    again = works(open, of(reads), O_RDWR | O_TRUNC);
    fstat(reads, &seen);
    is("cut", seen.st_size, 0);
    gives(0, stat, of(reads), &seen);
    fstat(reads, &other);
    is("same", seen.st_ino == other.st_ino, 1);
    gives(0, lstat, of(reads), &seen);
    say("%o", seen.st_mode);
    gives(0, lstat, of(writes), &seen);
    say("%o", seen.st_mode);
    gives(0, lstat, of(again), &seen);
    say("%o", seen.st_mode);
    int ends[2];
    pipe(ends);
    gives(0, lstat, of(ends[0]), &seen);
    say("%o", seen.st_mode);
    int end = works(open, of(ends[0]), O_WRONLY);
    gives(2, write, end, "ab", 2);
    gives(2, read, ends[0], data, sizeof data);
    fails(ENOTDIR, open, (of(ends[0]), strcat(path, "/x")), O_RDONLY);
    fails(ENOENT, open, "/proc/self/fd/999", O_RDONLY);
    fails(ENOENT, open, "/proc/self/fd/x", O_RDONLY);
    fails(ENOENT, open, "/proc/self/fd/-1", O_RDONLY);
    fails(ENOENT, open, "/proc/self/fd/00", O_RDONLY);
    fails(ELOOP, open, of(reads), O_RDONLY | O_NOFOLLOW);
    fails(EPERM, unlink, of(reads));
    mkdir("folder", 0755);
    put("folder/inner", "in");
    int folder = open("folder", O_PATH);
    strcat((char *)of(folder), "/inner");
    say("%s", get(path));
    gives(0, chdir, of(folder));
    /* What is listed there is what is open. */
    int count = 0;
    for (int fd = 0; fd < 64; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    DIR *list = opendir("/proc/self/fd");
    int listed = 0;
    for (struct dirent *one; (one = readdir(list));)
        listed += one->d_name[0] != '.';
    is("all and the list's own", listed - count, 1);
    closedir(list);
    is("the same by /dev/fd", access("/dev/fd/0", F_OK), 0);
}
