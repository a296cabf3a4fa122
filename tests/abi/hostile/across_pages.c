/* Data that crosses from a page that there is to one that there is not. */
#include "abi.h"

int main(void) {
    char *end = page_end(), *constant = pages(2);
    char data[16];
    mprotect(constant + 4096, 4096, PROT_READ);
    int fd = open("file", O_RDWR | O_CREAT, 0644), ends[2];
    memset(end - 8, 'a', 8);
    gives(8, write, fd, end - 8, 100);
    gives(8, pwrite64, fd, end - 8, 4096, 0);
    pipe(ends);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    lseek(fd, 0, SEEK_SET);
    gives(3, read, fd, end - 3, 8);
    gives(3, lseek, fd, 0, SEEK_CUR);
    gives(2, pread64, fd, constant + 4094, 8, 0);
    /* A name that ends with its page; and one that does not. */
    strcpy(end - 5, "file");
    works(open, end - 5, O_RDONLY);
    memcpy(end - 4, "file", 4);
    fails(EFAULT, open, end - 4, O_RDONLY);
    fails(EFAULT, stat, end - 4, data);
    fails(EFAULT, stat, "file", end - 100);
    fails(EFAULT, stat, "file", constant + 4000);
    fails(EFAULT, clock_gettime, CLOCK_MONOTONIC, end - 8);
    fails(EFAULT, pipe, end - 4);
    is("no descriptor is left", dup(0) - ends[1], 2);
}
