/* Folders read while they change, again, from a place kept, and when they are gone. */
#include "abi.h"

#include <dirent.h>

struct entry {
    uint64_t node;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int compare(const void *a, const void *b) {
    return strcmp(*(char **)a, *(char **)b);
}

/* Everything from where fd stands, sorted, with types; by reads of `size` bytes. */
static int list(int fd, size_t size) {
    static char names[2000][40], buffer[4096];
    char *sorted[2000];
    int count = 0;
    long got;
    while ((got = abi_call(getdents64, fd, buffer, size)) > 0)
        for (long at = 0; at < got;) {
            struct entry *one = (void *)(buffer + at);
            snprintf(names[count], 40, "%s:%d", one->name, one->type);
            sorted[count] = names[count];
            count++;
            at += one->length;
        }
    qsort(sorted, count, sizeof *sorted, compare);
    if (count < 20)
        for (int i = 0; i < count; i++)
            say("  %s", sorted[i]);
    return count;
}

int main(void) {
    char path[64], buffer[4096];
    mkdir("folder", 0755);
    mkdir("folder/sub", 0755);
    put("folder/file", "");
    symlink("x", "folder/link");
    mkfifo("folder/fifo", 0600);
    mknod("folder/null", S_IFCHR | 0666, 1 << 8 | 3);
    int fd = open("folder", O_RDONLY | O_DIRECTORY);
    is("entries", list(fd, 4096), 7);
    is("at the end", list(fd, 4096), 0);
    gives(0, lseek, fd, 0, SEEK_SET);
    is("again, a few at a time", list(fd, 64), 7);
    lseek(fd, 0, SEEK_SET);
    fails(EINVAL, getdents64, fd, buffer, 8);
    unlink("folder/null");
    rename("folder/fifo", "folder/renamed");
    put("folder/added", "");
    lseek(fd, 0, SEEK_SET);
    is("changed", list(fd, 4096), 7);
    /* All of many files is seen once, though each is removed as soon as it has been read. */
    mkdir("many", 0755);
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "many/%d", i);
        close(open(path, O_CREAT | O_WRONLY, 0644));
    }
    int many = open("many", O_RDONLY), removed = 0;
    is("many", list(many, 512), 1002);
    lseek(many, 0, SEEK_SET);
    for (long got; (got = abi_call(getdents64, many, buffer, 300)) > 0;)
        for (long at = 0; at < got;) {
            struct entry *one = (void *)(buffer + at);
            if (one->name[0] != '.')
                removed += unlinkat(many, one->name, 0) == 0;
            at += one->length;
        }
    is("removed", removed, 1000);
    gives(0, rmdir, "many");
    fails(ENOENT, getdents64, many, buffer, sizeof buffer);
    /* Two descriptors of one folder stand where they stand; copies stand together. */
    int second = open("folder", O_RDONLY), copy = dup(second);
    works(getdents64, second, buffer, 4096);
    is("the copy is at the end", list(copy, 4096), 0);
    lseek(fd, 0, SEEK_SET);
    is("the other is not", list(fd, 4096), 7);
    int file = open("folder/file", O_RDONLY);
    fails(ENOTDIR, getdents64, file, buffer, sizeof buffer);
    lseek(fd, 0, SEEK_SET);
    fails(EISDIR, read, fd, buffer, 1);
    fails(EFAULT, getdents64, fd, BAD, 4096);
}
