/* Mappings of files: what changes show where. */
#include "abi.h"

int main(void) {
    struct stat seen;
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 10000);
    char *one = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    char *own = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    strcpy(one + 4096, "written");
    say("%s %s", two, own + 4096);
    strcpy(own + 4096, "own");
    strcpy(two, "again");
    say("%s %s", one + 4096, own + 4096);
    char data[8] = "";
    gives(6, pread64, fd, data, 6, 4096);
    say("%s", data);
    gives(5, pwrite64, fd, "hello", 5, 0);
    say("%.5s %.5s", one, own);
    one[9999] = 'e';
    one[10000] = 'x';
    gives(0, msync, one, 12288, MS_SYNC);
    gives(0, fstat, fd, &seen);
    is("no longer for it", seen.st_size, 10000);
    close(fd);
    unlink("file");
    say("%s", one + 4096);
    gives(0, munmap, one, 12288);
    say("%s", two);
}
