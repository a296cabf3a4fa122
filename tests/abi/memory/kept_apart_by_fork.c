/* After fork() each has its own private memory, and both the same shared one. */
#include "abi.h"

static char *private, *shared, *of_file;

static void child(void) {
    is("private", private[0], 'p');
    private[0] = 'c';
    shared[0] = 'c';
    of_file[0] = 'c';
    is("own", private[0], 'c');
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 4096);
    private = pages(3);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    of_file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    private[0] = shared[0] = of_file[0] = 'p';
    in_child("child", child);
    is("private", private[0], 'p');
    is("shared", shared[0], 'c');
    is("of the file", of_file[0], 'p');
    is("the file", get("file")[0], 0);
}
