/* MADV_DONTNEED: private memory is zero again, a file's as the file has it. */
#include "abi.h"

int main(void) {
    put("file", "text");
    int fd = open("file", O_RDWR);
    char *at = pages(4), *of_file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    memset(at, 'x', 4 * 4096);
    gives(0, madvise, at + 4096, 2 * 4096, MADV_DONTNEED);
    is("before", at[4095], 'x');
    is("gone", at[4096] | at[3 * 4096 - 1], 0);
    is("behind", at[3 * 4096], 'x');
    of_file[0] = 'T';
    gives(0, madvise, of_file, 4096, MADV_DONTNEED);
    is("as the file has it", of_file[0], 't');
    fails(EINVAL, madvise, at + 1, 4096, MADV_DONTNEED);
    fails(EINVAL, madvise, at, 4096, 9999);
    gives(0, madvise, at, 0, MADV_DONTNEED);
    munmap(at + 4096, 4096);
    fails(ENOMEM, madvise, at, 3 * 4096, MADV_DONTNEED);
    is("the rest was done", at[0] | at[2 * 4096], 0);
}
