/* remap_file_pages: a file's pages in another order. */
#include "abi.h"

#define PAGE 4096

/* Also the only mapping of what has no file. */
static void without_file(void) {
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    at[0] = 'a';
    at[PAGE] = 'b';
    gives(0, remap_file_pages, at, 2 * PAGE, 0, 0, 0);
    say("%c%c", at[0], at[PAGE]);
    gives(0, remap_file_pages, at, PAGE, 0, 1, 0);
    say("%c%c", at[0], at[PAGE]);
    at[0] = 'c';
    say("%c%c", at[0], at[PAGE]);
    gives(0, remap_file_pages, at + PAGE, PAGE, 0, 0, 0);
    say("%c%c", at[0], at[PAGE]);
    gives(0, munmap, at, 2 * PAGE);
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 4 * PAGE);
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), *none = pages(1);
    close(fd);
    for (int i = 0; i < 4; i++)
        at[i * PAGE] = 'a' + i;
    gives(0, remap_file_pages, at, PAGE, 0, 3, 0);
    gives(0, remap_file_pages, at + PAGE, 2 * PAGE, 0, 0, MAP_NONBLOCK);
    say("%c%c%c%c", at[0], at[PAGE], at[2 * PAGE], at[3 * PAGE]);
    at[0] = 'x';
    say("%c", at[3 * PAGE]);
    gives(0, remap_file_pages, at, 4 * PAGE, 0, 0, 0);
    say("%c%c%c%c", at[0], at[PAGE], at[2 * PAGE], at[3 * PAGE]);
    fails(EINVAL, remap_file_pages, at, PAGE, PROT_READ, 0, 0);
    fails(EINVAL, remap_file_pages, at, 0, 0, 0, 0);
    fails(EINVAL, remap_file_pages, at, 2 * PAGE, 0, -1, 0);
    fails(EINVAL, remap_file_pages, own, PAGE, 0, 0, 0);
    fails(EINVAL, remap_file_pages, none, PAGE, 0, 0, 0);
    munmap(at + 2 * PAGE, PAGE);
    fails(EINVAL, remap_file_pages, at + 2 * PAGE, PAGE, 0, 0, 0);
    fails(EINVAL, remap_file_pages, at, 4 * PAGE, 0, 0, 0);
    without_file();
}
