/* getdents and getdents64: what they list, and everything refused. */
#include "abi.h"

struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

static int by_name(const void *a, const void *b) {
    return strcmp(*(char **)a, *(char **)b);
}

int main(void) {
    char space[4096], *lines[16];
    int count = 0;
    mkdir("d", 0755);
    put("d/file", "");
    mkdir("d/folder", 0755);
    symlink("x", "d/link");
    mkfifo("d/fifo", 0644);
    int fd = open("d", O_RDONLY);
    long length = works(getdents64, fd, space, sizeof space);
    for (long at = 0; at < length;) {
        struct entry *entry = (void *)(space + at);
        asprintf(&lines[count++], "%s %d", entry->name, entry->type);
        at += entry->length;
    }
    qsort(lines, count, sizeof *lines, by_name);
    for (int i = 0; i < count; i++)
        say("%s", lines[i]);
    gives(0, getdents64, fd, space, sizeof space);
    gives(0, getdents, fd, space, sizeof space);
    gives(0, lseek, fd, 0, SEEK_SET);
    works(getdents, fd, space, sizeof space);
    lseek(fd, 0, SEEK_SET);
    fails(EINVAL, getdents64, fd, space, 8);
    fails(EINVAL, getdents, fd, space, 8);
    fails(EFAULT, getdents64, fd, BAD, 4096);
    fails(EFAULT, getdents, fd, BAD, 4096);
    fails(EBADF, getdents64, -1, space, sizeof space);
    fails(EBADF, getdents, -1, space, sizeof space);
    int file = open("d/file", O_RDONLY);
    fails(ENOTDIR, getdents64, file, space, sizeof space);
    fails(ENOTDIR, getdents, file, space, sizeof space);
    mkdir("gone", 0755);
    fd = open("gone", O_RDONLY);
    rmdir("gone");
    fails(ENOENT, getdents64, fd, space, sizeof space);
    fails(ENOENT, getdents, fd, space, sizeof space);
    fd = open("d", O_PATH);
    fails(EBADF, getdents64, fd, space, sizeof space);
}
