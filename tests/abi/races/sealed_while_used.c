/*
 * Seals against writes that are under way and mappings that are being made: when F_ADD_SEALS has
 * come back nothing changes any more that was sealed.
 */
#include "abi.h"

#include <pthread.h>

#define PAGE   4096
#define PAGES  8
#define ROUNDS 6

static int fd, go_on, refused;

static void count_if_refused(long result) {
    if (result < 0 && errno != EPERM)
        give_up("another error");
    __atomic_add_fetch(&refused, result < 0, __ATOMIC_RELAXED);
}

static int goes_on(void) {
    return __atomic_load_n(&go_on, __ATOMIC_ACQUIRE);
}

static void *writes(void *unused) {
    static char bytes[2][PAGES * PAGE];
    memset(bytes[1], 1, sizeof bytes[1]);
    for (int i = 0; goes_on(); i++)
        count_if_refused(pwrite(fd, bytes[i & 1], sizeof bytes[0], 0));
    return unused;
}

static void *punches(void *unused) {
    while (goes_on())
        count_if_refused(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 3 * PAGE));
    return unused;
}

/* Now and then, lest the file is never without a mapping. */
static void *maps(void *unused) {
    for (int i = 0; goes_on(); i++) {
        for (int n = 0; n < 10; n++)
            sched_yield();
        char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 5 * PAGE);
        if (at != MAP_FAILED) {
            at[0] = (char)i;
            munmap(at, PAGE);
        } else {
            count_if_refused(-1);
        }
        /* Linux may refuse this, too, while it is being sealed. */
        at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
        if (at != MAP_FAILED)
            munmap(at, PAGE);
    }
    return unused;
}

static void *cuts(void *unused) {
    for (int i = 0; goes_on(); i++)
        count_if_refused(ftruncate(fd, (i & 1 ? PAGES : PAGES + 3) * PAGE));
    return unused;
}

static void *appends(void *unused) {
    int other;
    char path[64];
    sprintf(path, "/proc/self/fd/%d", fd);
    other = open(path, O_WRONLY | O_APPEND);
    while (goes_on())
        count_if_refused(write(other, path, sizeof path));
    close(other);
    return unused;
}

static long size_now(void) {
    struct stat seen;
    fstat(fd, &seen);
    return seen.st_size;
}

static unsigned sum_now(void) {
    static unsigned char bytes[PAGES * PAGE];
    unsigned sum = 0;
    pread(fd, bytes, sizeof bytes, 0);
    for (unsigned i = 0; i < sizeof bytes; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

/* Begins them all, seals, and sees whether anything changes then. */
static int one_round(int seals, void *(*const work[])(void *)) {
    pthread_t threads[4];
    int count = 0, changed = 0;
    fd = memfd_create("sealed", MFD_ALLOW_SEALING);
    ftruncate(fd, PAGES * PAGE);
    refused = 0;
    __atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
    for (; work[count]; count++)
        pthread_create(&threads[count], NULL, work[count], NULL);
    doze(1);
    while (fcntl(fd, F_ADD_SEALS, seals) < 0)
        if (errno != EBUSY)
            give_up("not sealed");
    long size = size_now();
    unsigned sum = sum_now();
    while (__atomic_load_n(&refused, __ATOMIC_RELAXED) < 4)
        changed |= (seals & F_SEAL_WRITE && sum_now() != sum) || size_now() != size;
    __atomic_store_n(&go_on, 0, __ATOMIC_RELEASE);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    changed |= (seals & F_SEAL_WRITE && sum_now() != sum) || size_now() != size;
    close(fd);
    return changed;
}

int main(void) {
    static void *(*const change[])(void *) = {writes, punches, maps, NULL};
    static void *(*const measure[])(void *) = {cuts, appends, NULL};
    int changed = 0, resized = 0;
    for (int i = 0; i < ROUNDS; i++) {
        changed += one_round(F_SEAL_WRITE, change);
        resized += one_round(F_SEAL_SHRINK | F_SEAL_GROW, measure);
    }
    is("changed after it was sealed", changed, 0);
    is("became longer or shorter", resized, 0);
}
