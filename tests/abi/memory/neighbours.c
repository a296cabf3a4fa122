/* A page stays what it is for whoever uses it while the ones beside it come and go and become one
 * mapping with it. */
#include "abi.h"

#include <pthread.h>

enum { ROUNDS = 500 };

static char *page;
static int done;

static void *changes(void *) {
    for (int i = 0; i < ROUNDS; i++) {
        char *beside = page + (i & 1 ? 4096 : -4096);
        if (mmap(beside, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) != beside)
            give_up("mmap");
        if (i % 3 == 0 && mprotect(beside, 4096, PROT_READ))
            give_up("mprotect");
        if (munmap(beside, 4096))
            give_up("munmap");
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    return NULL;
}

int main(void) {
    pthread_t thread;
    long wrong = 0;
    page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page += 4096;
    pthread_create(&thread, NULL, changes, NULL);
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        if (madvise(page, 4096, MADV_DONTNEED))
            give_up("madvise");
        wrong += *page != 0;
        *page = 1;
        wrong += *page != 1;
    }
    pthread_join(thread, NULL);
    is("wrong", wrong, 0);
}
