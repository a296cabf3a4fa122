/* Two processes that add to one word of a shared file: every addition counts. */
#include "abi.h"

static int *word;

static void adds(void) {
    for (int i = 0; i < 10000; i++)
        __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
}

int main(void) {
    int file = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(file, 4096);
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int one = start(adds), two = start(adds);
    ended("one", one);
    ended("two", two);
    is("sum", *word, 20000);
    int got;
    gives(4, pread64, file, &got, 4, 0);
    is("in the file", got, 20000);
}
