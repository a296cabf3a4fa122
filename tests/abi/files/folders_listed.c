/* getdents64: small rooms, again from the beginning, and names that come meanwhile. */
#include "abi.h"

struct entry {
    unsigned long number, offset;
    unsigned short length;
    char kind, name[];
};

static int count(int fd, char *bytes, int room) {
    int names = 0;
    for (long got; (got = abi_call(getdents64, fd, bytes, room)) > 0;)
        for (long at = 0; at < got; at += ((struct entry *)(bytes + at))->length)
            names++;
    return names;
}

int main(void) {
    char bytes[2000];
    mkdir("folder", 0700);
    for (char name[] = "folder/a"; name[7] < 'f'; name[7]++)
        put(name, "");
    int fd = open("folder", O_RDONLY | O_DIRECTORY);
    fails(EINVAL, getdents64, fd, bytes, 10);
    is("names", count(fd, bytes, 60), 7);
    gives(0, getdents64, fd, bytes, 2000);
    gives(0, lseek, fd, 0, SEEK_SET);
    is("names", count(fd, bytes, 2000), 7);
    put("folder/new", "");
    unlink("folder/a");
    gives(0, lseek, fd, 0, SEEK_SET);
    is("names", count(fd, bytes, 2000), 7);
    fails(ENOTDIR, getdents64, open("folder/b", O_RDONLY), bytes, 2000);
    fails(EFAULT, getdents64, (lseek(fd, 0, SEEK_SET), fd), BAD, 2000);
    fails(EBADF, getdents64, open("folder", O_PATH), bytes, 2000);
}
