/* Memory that is unmapped and mapped again while calls copy to and from it: bytes or EFAULT. */
#include "abi.h"

#include <pthread.h>

static char *place;
static int stop;

static void *maps(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        munmap(place, 4096);
        mmap(place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return NULL;
}

int main(void) {
    pthread_t thread;
    int ends[2], odd = 0, fine = 0;
    pipe(ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    place = pages(1);
    pthread_create(&thread, NULL, maps, NULL);
    for (int i = 0; i < 100; i++) {
        long result = write(ends[1], place, 100);
        odd += result != 100 && !(result < 0 && errno == EFAULT);
        fine += result == 100;
        result = read(ends[0], place, 100);
        odd += result != 100 && !(result < 0 && (errno == EFAULT || errno == EAGAIN));
        char rest[200];
        while (read(ends[0], rest, sizeof rest) > 0)
            ;
        struct stat *seen = (void *)place;
        odd += stat(".", seen) && errno != EFAULT;
    }
    stop = 1;
    pthread_join(thread, NULL);
    is("odd", odd, 0);
}
