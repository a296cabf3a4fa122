/* userfaultfd: what calls touch of a program that lacks it, and what they may not. */
#include "faults.h"

static char *watched;

/* Brings three pages to whoever asks. */
static void *server(void *fd) {
    for (int i = 0; i < 3; i++)
        bring((long)fd, asked_for((long)fd), "from the server");
    return NULL;
}

static void bus(int signal) {
    (void)signal;
    say("SIGBUS");
    _exit(0);
}

static void touches_in_vain(void) {
    int ends[2];
    pipe(ends);
    signal(SIGBUS, bus);
    close(watch(watched, 1, 0, 0)); /* what watched nothing any more is as nothing */
    watch(watched, 4, 0, UFFD_FEATURE_SIGBUS);
    fails(EFAULT, write, ends[1], watched, 5);
    *(volatile char *)watched;
}

static void calls_in_vain(void) {
    pthread_t one;
    int ends[2];
    pipe(ends);
    long fd = watch(watched, 4, UFFD_USER_MODE_ONLY, 0);
    fails(EFAULT, write, ends[1], watched, 5);
    pthread_create(&one, NULL, server, (void *)fd);
    is("touched", *(volatile char *)watched, 'f');
    is("touched", *(volatile char *)(watched + 2 * 4096), 'f');
    is("touched", *(volatile char *)(watched + 4096), 'f');
    pthread_join(one, NULL);
    gives(5, write, ends[1], watched, 5);
}

int main(void) {
    pthread_t one;
    int ends[2];
    pipe(ends);
    watched = pages(4);
    in_child("nobody brings any", touches_in_vain);
    in_child("not for calls", calls_in_vain);
    long fd = watch(watched, 4, 0, 0);
    pthread_create(&one, NULL, server, (void *)fd);
    gives(8, write, ends[1], watched, 8);
    gives(8, read, ends[0], watched + 4096 - 4, 8);
    is("what was there", strncmp(watched, "from the server", 15), 0);
    is("what came", memcmp(watched + 4096, " the", 4), 0);
    fails(ENOENT, access, watched + 2 * 4096, 0);
    pthread_join(one, NULL);
    /* From a page that is lacking to another one. */
    madvise(watched, 4 * 4096, MADV_DONTNEED);
    pthread_create(&one, NULL, server, (void *)fd);
    struct uffdio_copy copy = {(long)(watched + 4096), (long)watched, 4096, 0, 0};
    gives(0, ioctl, fd, UFFDIO_COPY, &copy);
    is("copied", strcmp(watched + 4096, "from the server"), 0);
    is("others'", watched[2 * 4096] + watched[3 * 4096], 2 * 'f');
    pthread_join(one, NULL);
}
