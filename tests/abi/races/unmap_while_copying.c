/* One thread reads into memory that another takes away and gives back: bytes or EFAULT, no more. */
#include "abi.h"

#include <pthread.h>

static char *at;
static volatile int over;

static void *changes(void *) {
    while (!over) {
        mmap(at, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return NULL;
}

int main(void) {
    pthread_t thread;
    int zero = open("/dev/zero", O_RDONLY), strange = 0;
    at = pages(1);
    pthread_create(&thread, NULL, changes, NULL);
    for (int i = 0; i < 2000; i++) {
        long got = read(zero, at, 4096);
        strange += got != 4096 && !(got == -1 && errno == EFAULT) && !(got > 0 && got < 4096);
    }
    over = 1;
    pthread_join(thread, NULL);
    is("strange results", strange, 0);
}
