/* A file without a name is read, written and mapped on; its number of links is none. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    struct stat seen;
    char bytes[8];
    write(fd, "text", 4);
    gives(0, link, "file", "other");
    gives(0, unlink, "file");
    fstat(fd, &seen);
    is("links", seen.st_nlink, 1);
    gives(0, unlink, "other");
    fstat(fd, &seen);
    is("links", seen.st_nlink, 0);
    gives(4, pread64, fd, bytes, 8, 0);
    gives(4, write, fd, "more", 4);
    gives(0, fchmod, fd, 0644);
    gives(0, ftruncate, fd, 100);
    char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    is("mapped", at[4], 'm');
    close(fd);
    is("and on", at[5], 'o');
    fails(ENOENT, open, "file", O_RDONLY);
    put("file", "new");
    is("another", get("file")[0], 'n');
}
