/* userfaultfd on shared memory: pages that the object has are not missing, whoever brought them. */
#include "faults.h"

static char *watched;

static void *toucher(void *at) {
    return (void *)(long)*(volatile char *)at;
}

static void *writer(void *at) {
    *(volatile char *)at = 'w';
    return NULL;
}

static void all_of(char *from, char *same) {
    pthread_t one;
    void *result;
    watched = from;
    same[4096] = 'o'; /* by the other mapping */
    int fd = watch(watched, 4, O_NONBLOCK, 0);
    struct pollfd ready = {fd, POLLIN};
    is("brought elsewhere", watched[4096], 'o');
    is("none is missing", poll(&ready, 1, 0), 0);
    pthread_create(&one, NULL, toucher, watched);
    is("one is missing", poll(&ready, 1, 5000), 1);
    is("page", (asked_for(fd) - watched) / 4096, 0);
    is("brought", bring(fd, watched, "shared"), 4096);
    pthread_join(one, &result);
    is("read", (long)result, 's');
    is("seen by all", strcmp(same, "shared"), 0);
    is("there", bring(fd, watched + 4096, "again"), -EEXIST);
    pthread_create(&one, NULL, writer, watched + 2 * 4096);
    is("one is missing", poll(&ready, 1, 5000), 1);
    is("page", (asked_for(fd) - watched) / 4096, 2);
    struct uffdio_zeropage zero = {{(long)(watched + 2 * 4096), 2 * 4096}, 0, 0};
    gives(0, ioctl, fd, UFFDIO_ZEROPAGE, &zero);
    pthread_join(one, NULL);
    is("seen by all", same[2 * 4096], 'w');
    same[3 * 4096 + 1] = '!';
    is("and so is that", watched[3 * 4096 + 1], '!');
    madvise(watched, 4096, MADV_DONTNEED);
    is("still there", strcmp(watched, "shared"), 0);
    close(fd);
}

int main(void) {
    int file = memfd_create("x", 0);
    ftruncate(file, 4 * 4096);
    char *one = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    all_of(one, mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    char text[16] = "";
    gives(7, pread64, file, text, 7, 0);
    say("%s", text);

    one = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    all_of(one, mremap(one, 0, 4 * 4096, MREMAP_MAYMOVE));

    /* Behind the end there is nothing to bring. */
    ftruncate(file, 4096);
    one = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int fd = watch(one, 4, O_NONBLOCK, 0);
    is("behind the end", bring(fd, one + 2 * 4096, "x"), -EFAULT);

    /* A private mapping of it: its object's pages are not missing, and a copy is its own. */
    ftruncate(file, 4 * 4096);
    one = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    fd = watch(one, 4, O_NONBLOCK, 0);
    is("the object's", strcmp(one, "shared"), 0);
    is("brought", bring(fd, one + 4096, "private"), 4096);
    is("its own", strcmp(one + 4096, "private"), 0);
    gives(7, pread64, file, text, 7, 4096);
    is("not the object's", text[0], 0);
}
